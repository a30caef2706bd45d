import { Menu as Base } from '@base-ui/react/menu';
import { Ellipsis } from 'lucide-react';
import type { ReactNode } from 'react';
import { useMay, type Needs } from '../session/may';
import { IconButton } from './button';
import { classes } from './classes';
import styles from './menu.module.css';

export interface MenuItem {
  text: string;
  icon?: ReactNode;
  danger?: boolean;
  /** Is not there for those who may not do it. */
  needs?: Needs;
  disabled?: boolean;
  onSelect: () => void;
}

/** What can be done with a row, behind three dots. */
export function RowMenu({ label, items }: { label: string; items: readonly MenuItem[] }) {
  const may = useMay();
  const allowed = items.filter(({ needs }) => may(needs));
  if (allowed.length === 0) return null;
  return (
    <Base.Root>
      <Base.Trigger render={<IconButton label={label} small icon={<Ellipsis size={16} aria-hidden />} />} />
      <Base.Portal>
        <Base.Positioner className={styles.positioner} align="end" sideOffset={4}>
          <Base.Popup className={styles.popup}>
            {allowed.map(({ text, icon, danger, disabled, onSelect }) => (
              <Base.Item
                key={text}
                className={classes(styles.item, danger && styles.danger)}
                disabled={disabled}
                onClick={onSelect}
              >
                {icon}
                {text}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
