import type { ObjectChange } from '../api/types';
import { Badge, type Tone } from '../ui/surface';
import styles from './security.module.css';

const TONES: Record<ObjectChange['change'], Tone> = { created: 'good', updated: 'accent', deleted: 'bad' };

/** What was changed, line by line: what it was, and what it is. */
export function Changes({ of: changes }: { of: readonly ObjectChange[] }) {
  if (changes.length === 0) return <p className="soft">Nothing in the configuration was changed.</p>;
  return changes.map(({ kind, id, change, patch }) => (
    <section key={`${kind} ${id}`} className={styles.change}>
      <header>
        <Badge tone={TONES[change]}>{change}</Badge> <strong>{kind.replaceAll('_', ' ')}</strong>{' '}
        <span className="mono break">{id}</span>
      </header>
      <ul className={styles.patch}>
        {patch.map(({ path, before, after }) => (
          <li key={path}>
            <span className="mono faint break">{path || '/'}</span>
            {before !== undefined && (
              <del>
                <span className="visually-hidden">before: </span>
                {shown(before)}
              </del>
            )}
            {after !== undefined && (
              <ins>
                <span className="visually-hidden">after: </span>
                {shown(after)}
              </ins>
            )}
          </li>
        ))}
      </ul>
    </section>
  ));
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
