import { LogOut } from 'lucide-react';
import { NavLink } from 'react-router';
import type { Session } from '../api/types';
import { PLACES } from '../places';
import { useMay } from '../session/may';
import { useLinkTo, useScope } from '../session/scope';
import { useSession } from '../session/session';
import { IconButton } from '../ui/button';
import { Brand } from './brand';
import styles from './shell.module.css';
import { TenantPicker } from './tenant-picker';
import { ThemeSwitch } from './theme';

/** What people are told that they are; what they may do is another matter, see `useMay`. */
const ROLES: Record<NonNullable<Session['adminRole']> | Session['role'], string> = {
  owner: 'Owner',
  admin: 'Administrator',
  operator: 'Operator',
  viewer: 'Viewer, may read',
  metrics: 'Reads metrics',
  tenant: 'Manages its tenant',
  reader: 'May read',
  consumer: 'Consumer',
};

export function Navigation() {
  const { session, signOut } = useSession();
  const { everyTenant } = useScope();
  const may = useMay();
  const linkTo = useLinkTo();
  const groups = PLACES.map(({ title, places }) => ({
    title,
    places: places.filter(({ needs }) => may(needs)),
  })).filter(({ places }) => places.length > 0);
  return (
    <div className={styles.side}>
      <span className={styles.brand}>
        <Brand /> Gatehouse
      </span>
      {everyTenant && may('Tenants.list') && <TenantPicker />}
      <nav className={styles.nav} aria-label="Pages">
        {groups.map(({ title, places }) => (
          <div key={title}>
            <p className={styles.group}>{title}</p>
            <ul>
              {places.map(({ path, text, Icon }) => (
                <li key={path}>
                  <NavLink to={linkTo(path)}>
                    <Icon size={16} aria-hidden /> {text}
                  </NavLink>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <div className={styles.user}>
        <div>
          <p className={`${styles.name} truncate`}>{nameOf(session)}</p>
          <p className={styles.role}>{ROLES[session.adminRole ?? session.role]}</p>
        </div>
        <div className={styles.buttons}>
          <ThemeSwitch />
          <IconButton
            label="Sign out"
            small
            icon={<LogOut size={15} aria-hidden />}
            onClick={() => void signOut()}
          />
        </div>
      </div>
    </div>
  );
}

const nameOf = ({ name, tenantName, tenantId }: Session): string =>
  tenantName ?? tenantId ?? name ?? 'Gateway';
