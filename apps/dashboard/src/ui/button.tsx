import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { useMay, type Needs } from '../session/may';
import { classes } from './classes';
import styles from './button.module.css';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: 'default' | 'primary' | 'danger' | 'ghost';
  small?: boolean;
  /** Shows that the work is under way and takes no second press. */
  busy?: boolean;
  icon?: ReactNode;
  /** Is not there for those who may not do what it does. */
  needs?: Needs;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ variant = 'default', small, busy, icon, needs, children, ...rest }: ButtonProps) {
  const may = useMay();
  if (!may(needs)) return null;
  return (
    <button
      type="button"
      {...rest}
      className={classes(styles.button, styles[variant], small && styles.small, rest.className)}
      disabled={rest.disabled || busy}
      aria-busy={busy || undefined}
    >
      {busy ? <span className={styles.spinner} aria-hidden /> : icon}
      {children}
    </button>
  );
}

/** A button that is a picture only; the label is what a screen reader says and the pointer shows. */
export function IconButton({ label, icon, ...rest }: ButtonProps & { label: string }) {
  return (
    <Button
      variant="ghost"
      {...rest}
      aria-label={label}
      title={label}
      className={classes(styles.icon, rest.className)}
      icon={icon}
    />
  );
}

/** For links that look like buttons. */
export const buttonClass = (variant: NonNullable<ButtonProps['variant']> = 'default', small = false) =>
  classes(styles.button, styles[variant], small && styles.small);
