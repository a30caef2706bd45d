import {
  Activity,
  Building2,
  ChartLine,
  CreditCard,
  KeyRound,
  LogOut,
  Route,
  ShieldCheck,
  Waypoints,
} from 'lucide-react';
import { NavLink } from 'react-router';
import { useLinkTo } from '../session/scope';
import { isAdmin, useSession } from '../session/session';
import type { Session } from '../api/types';
import { IconButton } from '../ui/button';
import { Brand } from './brand';
import styles from './shell.module.css';
import { TenantPicker } from './tenant-picker';
import { ThemeSwitch } from './theme';

interface Entry {
  path: string;
  text: string;
  Icon: typeof Activity;
  for?: (session: Session) => boolean;
}

const notConsumer = ({ role }: Session) => role !== 'consumer';

const GROUPS: ReadonlyArray<{ title: string; entries: readonly Entry[] }> = [
  {
    title: 'Gateway',
    entries: [
      { path: '/overview', text: 'Overview', Icon: Activity, for: notConsumer },
      { path: '/tenants', text: 'Tenants', Icon: Building2, for: isAdmin },
    ],
  },
  {
    title: 'APIs',
    entries: [
      { path: '/apis', text: 'APIs', Icon: Waypoints, for: notConsumer },
      { path: '/keys', text: 'API keys', Icon: KeyRound },
      { path: '/usage', text: 'Usage', Icon: ChartLine },
      { path: '/billing', text: 'Billing', Icon: CreditCard, for: notConsumer },
    ],
  },
  {
    title: 'Trust',
    entries: [
      { path: '/security', text: 'Security', Icon: ShieldCheck, for: notConsumer },
      { path: '/explain', text: 'Explain', Icon: Route, for: notConsumer },
    ],
  },
];

const ROLES: Record<Session['role'], string> = {
  owner: 'Owner',
  admin: 'Administrator',
  tenant: 'Manages its tenant',
  reader: 'May read',
  consumer: 'Consumer',
};

export function Navigation() {
  const { session, signOut } = useSession();
  const linkTo = useLinkTo();
  return (
    <div className={styles.side}>
      <span className={styles.brand}>
        <Brand /> Gatehouse
      </span>
      {isAdmin(session) && <TenantPicker />}
      <nav className={styles.nav} aria-label="Pages">
        {GROUPS.map(({ title, entries }) => (
          <div key={title}>
            <p className={styles.group}>{title}</p>
            <ul>
              {entries
                .filter((entry) => entry.for?.(session) ?? true)
                .map(({ path, text, Icon }) => (
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
          <p className={`${styles.name} truncate`}>{session.tenantName ?? session.tenantId ?? 'Gateway'}</p>
          <p className={styles.role}>{ROLES[session.role]}</p>
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
