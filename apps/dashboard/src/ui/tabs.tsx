import { Tabs as Base } from '@base-ui/react/tabs';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import styles from './tabs.module.css';

export interface TabPage {
  id: string;
  title: string;
  content: ReactNode;
}

/** Which tab is open stands in the address, so that it can be linked to and found again. */
export function Tabs({ label, pages }: { label: string; pages: readonly TabPage[] }) {
  const [search, setSearch] = useSearchParams();
  const asked = search.get('tab');
  const open = pages.find(({ id }) => id === asked) ?? pages[0]!;
  const show = (id: unknown) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        after.set('tab', String(id));
        return after;
      },
      { replace: true },
    );
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
