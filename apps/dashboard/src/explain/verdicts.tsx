import { CircleCheck, CircleDashed, CircleX } from 'lucide-react';
import type { Explanation } from '../api/types';
import { Badge, Fact, Facts } from '../ui/surface';
import styles from './explain.module.css';

const GUARDS: Record<string, string> = {
  admission: 'Admission',
  api_key: 'API key',
  route: 'Route',
  maintenance: 'Maintenance',
  jwt: 'Bearer token',
  body_size: 'Body size',
  signature: 'Signature',
  concurrency: 'Concurrency',
  rate_limit: 'Limits',
  upstream: 'Upstream',
};
const ICONS = { pass: CircleCheck, refuse: CircleX, not_reached: CircleDashed };
const WORDS = { pass: 'passes', refuse: 'refuses', not_reached: 'not reached' };

/** The guards in the order in which they judge, and what comes of it. */
export function Verdicts({ of: explanation }: { of: Explanation }) {
  const { outcome, status, tenantId, route, serviceId, upstreamUrl, judgements } = explanation;
  return (
    <div className={styles.verdicts}>
      <Badge tone={outcome === 'forward' ? 'good' : 'bad'}>
        {outcome === 'forward' ? 'Would be forwarded' : `Would be refused with ${status}`}
      </Badge>
      <ol className={styles.guards}>
        {judgements.map((judgement) => {
          const { guard, verdict, code, reason, details } = judgement;
          const Icon = ICONS[verdict];
          return (
            <li key={guard} className={styles[verdict]}>
              <Icon size={17} aria-hidden />
              <div>
                <p>
                  <strong>{GUARDS[guard] ?? guard}</strong> <span className="faint">{WORDS[verdict]}</span>{' '}
                  {code && <code className={styles.code}>{code}</code>}
                </p>
                {reason && <p className="soft">{reason}</p>}
                {details && <Details of={details} />}
              </div>
            </li>
          );
        })}
      </ol>
      <Facts>
        {tenantId && <Fact term="Tenant">{tenantId}</Fact>}
        {route && (
          <Fact term="Route">
            <span className="mono">{route}</span>
          </Fact>
        )}
        {serviceId && <Fact term="Service">{serviceId}</Fact>}
        {upstreamUrl && (
          <Fact term="Goes to">
            <span className="mono">{upstreamUrl}</span>
          </Fact>
        )}
      </Facts>
    </div>
  );
}

function Details({ of: details }: { of: Record<string, unknown> }) {
  const entries = Object.entries(details).filter(([, value]) => value !== undefined && value !== null);
  if (entries.length === 0) return null;
  return (
    <dl className={styles.details}>
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === 'object' ? JSON.stringify(value) : String(value as string | number)}</dd>
        </div>
      ))}
    </dl>
  );
}
