import { Tabs as Base } from '@base-ui/react/tabs';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { useMay, type Needs } from '../session/may';
import styles from './tabs.module.css';

export interface TabPage {
  id: string;
  title: string;
  /** Is not there for those who may not see it. */
  needs?: Needs;
  content: ReactNode;
}

/** Which tab is open stands in the address, so that it can be linked to and found again. */
export function Tabs({ label, pages: all }: { label: string; pages: readonly TabPage[] }) {
  const may = useMay();
  const [search, setSearch] = useSearchParams();
  const asked = search.get('tab');
  const pages = all.filter(({ needs }) => may(needs));
  const open = pages.find(({ id }) => id === asked) ?? pages[0];
  const show = (id: unknown) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        after.set('tab', String(id));
        return after;
      },
      { replace: true },
    );
  if (!open) return null;
  if (pages.length === 1) return open.content;
  return (
    <Base.Root value={open.id} onValueChange={show}>
      <Base.List className={styles.list} aria-label={label}>
        {pages.map(({ id, title }) => (
          <Base.Tab key={id} value={id} className={styles.tab}>
            {title}
          </Base.Tab>
        ))}
      </Base.List>
      <Base.Panel value={open.id} className={styles.panel}>
        {open.content}
      </Base.Panel>
    </Base.Root>
  );
}
