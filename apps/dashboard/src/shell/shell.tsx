import { Dialog } from '@base-ui/react/dialog';
import { Menu } from 'lucide-react';
import { Suspense, useEffect, useState } from 'react';
import { Outlet, useLocation } from 'react-router';
import { useReachable } from '../api/reachable';
import { IconButton } from '../ui/button';
import dialog from '../ui/dialog.module.css';
import { LoadingRows } from '../ui/states';
import { Brand } from './brand';
import { Navigation } from './navigation';
import styles from './shell.module.css';

/** What is around every page: navigation beside it, or behind a button where there is no room. */
export function Shell() {
  const reachable = useReachable();
  const { pathname } = useLocation();
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [pathname]);
  return (
    <>
      <a className={styles.skip} href="#main">
        Skip to content
      </a>
      {!reachable && (
        <div className={styles.offline} role="status">
          The gateway cannot be reached. Trying again …
        </div>
      )}
      <div className={styles.shell}>
        <header className={styles.top}>
          <span className={styles.brand}>
            <Brand /> Gatehouse
          </span>
          <Dialog.Root open={open} onOpenChange={setOpen}>
            <Dialog.Trigger
              render={<IconButton label="Open navigation" icon={<Menu size={18} aria-hidden />} />}
            />
            <Dialog.Portal>
              <Dialog.Backdrop className={dialog.backdrop} />
              <Dialog.Popup className={styles.drawer} aria-label="Navigation">
                <Navigation />
              </Dialog.Popup>
            </Dialog.Portal>
          </Dialog.Root>
        </header>
        <aside className={styles.column}>
          <Navigation />
        </aside>
        <main id="main" className={styles.main} tabIndex={-1}>
          <div className={styles.inner}>
            <Suspense fallback={<LoadingRows />}>
              <Outlet />
            </Suspense>
          </div>
        </main>
      </div>
    </>
  );
}
