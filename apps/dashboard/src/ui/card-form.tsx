import type { FormEvent, ReactNode } from 'react';
import { useMay, type Needs } from '../session/may';
import { Button } from './button';
import styles from './card-form.module.css';
import { ErrorNotice } from './states';

interface CardFormProps {
  submit: string;
  needs?: Needs;
  icon?: ReactNode;
  busy: boolean;
  /** Absent where it is shown elsewhere. */
  error?: unknown;
  onSubmit: () => void;
  children: ReactNode;
}

/** A form within a page. Whoever may not send it can still read what is in it. */
export function CardForm({ submit, needs, icon, busy, error, onSubmit, children }: CardFormProps) {
  const may = useMay()(needs);
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form className={styles.form} onSubmit={send} noValidate>
      <fieldset className={styles.fields} disabled={!may}>
        {children}
      </fieldset>
      {error ? <ErrorNotice error={error} /> : null}
      {may ? (
        <div>
          <Button type="submit" variant="primary" busy={busy} icon={icon}>
            {submit}
          </Button>
        </div>
      ) : (
        <p className="faint">You may read this, and not change it.</p>
      )}
    </form>
  );
}
