import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, data } from '../api/client';
import type { ApiKey } from '../api/types';
import { useLinkTo, useScope } from '../session/scope';
import { counted } from '../ui/format';
import { ErrorState, LoadingRows } from '../ui/states';
import { Badge, Card } from '../ui/surface';
import styles from './security.module.css';

const LOOKED_AT = 200;
const OLD_DAYS = 180;

interface Advice {
  title: string;
  fine: boolean;
  text: string;
  link: readonly [path: string, text: string];
}

/** Good practice, held against the keys and services that there are. */
export function AdviceTab() {
  const { tenantId, query } = useScope();
  const linkTo = useLinkTo();
  const {
    data: found,
    error,
    refetch,
  } = useQuery({
    queryKey: ['keys', tenantId, 'advice'],
    queryFn: () => data(api.GET('/api-keys', { params: { query: { ...query, limit: LOOKED_AT } } })),
  });
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!found) return <LoadingRows />;
  const keys = found.api_keys.filter(({ active }) => active);
  return (
    <Card title="Good practice" bare>
      <ul className={styles.advice}>
        {adviceOn(keys).map(({ title, fine, text, link: [path, link] }) => (
          <li key={title}>
            <span>
              <Badge tone={fine ? 'good' : 'warn'}>{fine ? 'Fine' : 'Look at it'}</Badge>
            </span>
            <div>
              <h3>{title}</h3>
              <p>
                {text} <Link to={linkTo(path)}>{link}</Link>
              </p>
            </div>
          </li>
        ))}
      </ul>
      {found.next_cursor !== null && <p className="faint">The first {LOOKED_AT} keys were looked at.</p>}
    </Card>
  );
}

function adviceOn(keys: readonly ApiKey[]): Advice[] {
  const count = (fits: (key: ApiKey) => boolean) => keys.filter(fits).length;
  const wide = count(({ service_id }) => service_id === null);
  const lasting = count(({ expires_at }) => !expires_at);
  const unlimited = count(
    ({ rate_limit_requests, service_id }) => !rate_limit_requests && service_id === null,
  );
  const old = count(({ created_at }) => Date.now() - Date.parse(created_at) > OLD_DAYS * 86_400_000);
  const all = counted(keys.length, 'key');
  const toKeys = ['/keys', 'Go to the keys'] as const;
  return [
    {
      title: 'Keys open no more than they need',
      fine: wide <= 1,
      text: `${wide} of ${all} in force for all services. Give clients keys of one service.`,
      link: toKeys,
    },
    {
      title: 'Keys end by themselves',
      fine: lasting === 0,
      text: `${lasting} of ${all} without an expiry: one that is lost is good for ever.`,
      link: toKeys,
    },
    {
      title: 'Every key has a limit',
      fine: unlimited === 0,
      text: `${unlimited} of ${all} without a limit of its own: one client can use up what all share.`,
      link: toKeys,
    },
    {
      title: 'Keys are rotated',
      fine: old === 0,
      text: `${old} of ${all} older than ${OLD_DAYS} days. A rotation gives clients time to change over.`,
      link: toKeys,
    },
    {
      title: 'Refusals are looked at',
      fine: true,
      text: 'Wrong keys and tokens that come again and again are somebody trying.',
      link: ['/security?tab=refusals', 'Go to the refusals'],
    },
  ];
}
