import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { comesBack, isOffline, ProblemError } from '../api/problem';
import { Button } from './button';
import { classes } from './classes';
import styles from './states.module.css';

/** Nothing there yet: says what belongs here and offers the way to the first one. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={styles.state}>
      <span className={styles.mark}>{icon}</span>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action && <div className={styles.actions}>{action}</div>}
    </div>
  );
}

const GOES_ON = 'Nothing is lost; this page goes on by itself when it is back.';

/** What was asked for has not come. Offline is told apart, because then nothing is wrong with the question. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const offline = isOffline(error);
  return (
    <div className={styles.state} role="alert">
      <span className={styles.mark}>
        <CircleAlert size={18} aria-hidden />
      </span>
      <h2>{offline ? 'The gateway cannot be reached' : titleOf(error)}</h2>
      <p>
        {!offline && textOf(error)} {comesBack(error) && GOES_ON}
      </p>
      {retry && (
        <div className={styles.actions}>
          <Button onClick={retry}>Try again</Button>
        </div>
      )}
    </div>
  );
}

/** The same in a line, for dialogs. */
export function ErrorNotice({ error }: { error: unknown }) {
  const text = isOffline(error) ? 'The gateway cannot be reached.' : textOf(error);
  return <Notice tone="bad">{text}</Notice>;
}

export function Notice({ tone, children }: { tone: 'bad' | 'warn' | 'info' | 'good'; children: ReactNode }) {
  const Icon = tone === 'info' || tone === 'good' ? Info : TriangleAlert;
  return (
    <div className={classes(styles.notice, styles[tone])} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon size={15} aria-hidden />
      <div>{children}</div>
    </div>
  );
}

/** Grey lines in the place of rows that are on their way. */
export function LoadingRows({ rows = 5 }: { rows?: number }) {
  return (
    <div className={styles.rows} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} width={`${88 - ((index * 17) % 40)}%`} />
      ))}
    </div>
  );
}

export function Skeleton({ width = '100%', height }: { width?: string; height?: number }) {
  return <span className={styles.skeleton} style={{ width, height }} />;
}

function titleOf(error: unknown): string {
  return error instanceof ProblemError ? error.title : 'Something went wrong';
}

function textOf(error: unknown): string {
  if (error instanceof ProblemError) return error.text;
  return error instanceof Error ? error.message : String(error);
}
