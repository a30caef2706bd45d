import { AlertDialog as BaseAlert } from '@base-ui/react/alert-dialog';
import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { Button, IconButton } from './button';
import { classes } from './classes';
import styles from './dialog.module.css';
import { ErrorNotice } from './states';

interface DialogProps {
  title: string;
  description?: ReactNode;
  wide?: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** Where the focus was when the dialog was opened, there it is again when it is gone. */
function useFocusReturn(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      if (before instanceof HTMLElement && before.isConnected) setTimeout(() => before.focus());
    },
    [before],
  );
}

/** A dialog that is open for as long as it is rendered; focus stays in it and returns to where it came from. */
export function Dialog({ title, description, wide, onClose, children }: DialogProps) {
  useFocusReturn();
  return (
    <Base.Root open onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={classes(styles.popup, wide && styles.wide)}>
          <header className={styles.head}>
            <div>
              <Base.Title className={styles.title}>{title}</Base.Title>
              {description && (
                <Base.Description className={styles.description}>{description}</Base.Description>
              )}
            </div>
            <Base.Close
              className={styles.close}
              render={<IconButton label="Close" icon={<X size={16} aria-hidden />} small />}
            />
          </header>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** A part that scrolls and a part that does not: what is filled in, and what is done with it. */
export function DialogBody({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  return (
    <div className={styles.body}>
      <div className={styles.content}>{children}</div>
      {actions && <footer className={styles.foot}>{actions}</footer>}
    </div>
  );
}

interface FormDialogProps extends DialogProps {
  submit: string;
  danger?: boolean;
  busy: boolean;
  disabled?: boolean;
  error: unknown;
  onSubmit: () => void;
}

/** A dialog that sends something; what was wrong with it is said above the buttons. See `useForm`. */
export function FormDialog(props: FormDialogProps) {
  const { submit, danger, busy, disabled, error, onSubmit, children, ...dialog } = props;
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Dialog {...dialog}>
      <form className={styles.body} onSubmit={send} noValidate>
        <div className={styles.content}>
          {children}
          {error ? <ErrorNotice error={error} /> : null}
        </div>
        <footer className={styles.foot}>
          <Button onClick={dialog.onClose}>Cancel</Button>
          <Button type="submit" variant={danger ? 'danger' : 'primary'} busy={busy} disabled={disabled}>
            {submit}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ReactNode;
  confirm: string;
  /** Asked to be typed, where what is done takes much with it. */
  word?: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before what cannot be undone. The way out has the focus. */
export function ConfirmDialog({ title, children, confirm, word, onConfirm, onClose }: ConfirmProps) {
  useFocusReturn();
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <BaseAlert.Root open onOpenChange={(open) => !open && onClose()}>
      <BaseAlert.Portal>
        <BaseAlert.Backdrop className={styles.backdrop} />
        <BaseAlert.Popup className={styles.popup}>
          <header className={styles.head}>
            <BaseAlert.Title className={styles.title}>{title}</BaseAlert.Title>
          </header>
          <div className={styles.content}>
            <BaseAlert.Description render={<div />}>{children}</BaseAlert.Description>
            {word !== undefined && (
              <label>
                Type <strong className="break">{word}</strong> to go on
                <input
                  className="plain-input"
                  value={typed}
                  onChange={(event) => setTyped(event.target.value)}
                  autoComplete="off"
                  spellCheck={false}
                />
              </label>
            )}
            {error ? <ErrorNotice error={error} /> : null}
          </div>
          <footer className={styles.foot}>
            <BaseAlert.Close render={<Button />}>Cancel</BaseAlert.Close>
            <Button
              variant="danger"
              busy={busy}
              disabled={word !== undefined && typed !== word}
              onClick={() => void run()}
            >
              {confirm}
            </Button>
          </footer>
        </BaseAlert.Popup>
      </BaseAlert.Portal>
    </BaseAlert.Root>
  );
}
