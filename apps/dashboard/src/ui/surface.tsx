import type { ReactNode } from 'react';
import { classes } from './classes';
import styles from './surface.module.css';

export type Tone = 'good' | 'bad' | 'warn' | 'accent' | 'quiet';

export function Page({
  title,
  lead,
  actions,
  children,
}: {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className={styles.page}>
      <title>{`${title} · Gatehouse`}</title>
      <header className={styles.head}>
        <div>
          <h1>{title}</h1>
          {lead && <p className={styles.lead}>{lead}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Card({
  title,
  actions,
  bare,
  children,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  /** Without padding, for tables. */
  bare?: boolean;
  children: ReactNode;
}) {
  return (
    <section className={styles.card}>
      {(title || actions) && (
        <header className={styles.cardHead}>
          {title && <h2>{title}</h2>}
          {actions && <div className={styles.toolbar}>{actions}</div>}
        </header>
      )}
      <div className={bare ? styles.bare : styles.cardBody}>{children}</div>
    </section>
  );
}

/** Figures in a row, of equal rank. */
export function Stats({ children }: { children: ReactNode }) {
  return <dl className={styles.stats}>{children}</dl>;
}

export function Stat({ label, children, note }: { label: string; children: ReactNode; note?: ReactNode }) {
  return (
    <div className={styles.stat}>
      <dt>{label}</dt>
      <dd>{children}</dd>
      {note && <dd className={styles.note}>{note}</dd>}
    </div>
  );
}

export function Badge({
  tone = 'quiet',
  plain,
  children,
}: {
  tone?: Tone;
  plain?: boolean;
  children: ReactNode;
}) {
  return (
    <span className={classes(styles.badge, tone !== 'quiet' && styles[tone], plain && styles.plain)}>
      {children}
    </span>
  );
}

export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>;
}

export function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Cards side by side where there is room for two. */
export function Columns({ children }: { children: ReactNode }) {
  return <div className={styles.grid}>{children}</div>;
}

/** What stands above a table; `apart` sends the last to the other side, `below` keeps away from what is above. */
export function Toolbar({
  apart,
  below,
  children,
}: {
  apart?: boolean;
  below?: boolean;
  children: ReactNode;
}) {
  return (
    <div className={classes(styles.toolbar, apart && styles.apart, below && styles.below)}>{children}</div>
  );
}

export function Code({ label, children }: { label: string; children: string }) {
  return (
    <pre className={styles.code} tabIndex={0} role="region" aria-label={label}>
      {children}
    </pre>
  );
}

/** A choice of few, all of them in sight. */
export function Segments<T extends string>({
  label,
  options,
  value,
  onChange,
}: {
  label: string;
  options: ReadonlyArray<readonly [value: T, text: string]>;
  value: T | undefined;
  onChange: (value: T) => void;
}) {
  return (
    <div className={styles.segments} role="group" aria-label={label}>
      {options.map(([option, text]) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => onChange(option)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** How much of something is used; `share` is 0 … 1. */
export function Meter({ share, label }: { share: number; label: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div
      className={styles.meter}
      role="meter"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <span style={{ width: `${percent}%` }} />
    </div>
  );
}
