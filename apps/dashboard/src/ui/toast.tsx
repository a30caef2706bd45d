import { Toast } from '@base-ui/react/toast';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from './button';
import styles from './toast.module.css';

const toasts = Toast.createToastManager();

/** Says for a few seconds that something has been done. What went wrong is said where it was asked for. */
export function tell(title: string, description?: string): void {
  toasts.add({ title, description, timeout: 4000 });
}

export function Toasts({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider toastManager={toasts}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className={styles.viewport}>
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
  const { toasts: shown } = Toast.useToastManager();
  return shown.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className={styles.toast}>
      <div>
        <Toast.Title className={styles.title} />
        <Toast.Description className={styles.description} />
      </div>
      <Toast.Close render={<IconButton label="Dismiss" small icon={<X size={14} aria-hidden />} />} />
    </Toast.Root>
  ));
}
