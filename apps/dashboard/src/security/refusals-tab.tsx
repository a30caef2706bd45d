import { ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, data } from '../api/client';
import type { Refusal, RefusalPage } from '../api/types';
import { usePages } from '../api/use-pages';
import { useMay } from '../session/may';
import { useLinkTo, useScope } from '../session/scope';
import { FilterSelect } from '../ui/field';
import { ListCard } from '../ui/list-card';
import { EmptyState } from '../ui/states';
import { Badge, Toolbar } from '../ui/surface';
import { Ago } from '../ui/time';

const CODES = ['invalid_api_key', 'missing_api_key', 'key_expired', 'key_disabled', 'key_not_allowed', 'route_not_allowed', 'missing_jwt', 'invalid_jwt', 'token_not_allowed', 'rate_limited', 'quota_exceeded', 'spend_cap_reached', 'address_not_allowed', 'signature_invalid', 'tenant_suspended', 'maintenance', 'circuit_open', 'overloaded']; // prettier-ignore

/** What the gateway has turned away in the last day; each can be opened to see why. */
export function RefusalsTab() {
  const { tenantId } = useScope();
  const all = useMay()('Refusals.list');
  const linkTo = useLinkTo();
  const [whose, setWhose] = useState<'tenant' | 'nobody' | 'all'>('tenant');
  const [code, setCode] = useState('');
  const list = usePages<RefusalPage, Refusal>({
    key: ['refusals', tenantId, whose, code],
    load: (page) => {
      const query = { ...page, ...(code && { code }) };
      if (!all) return data(api.GET('/me/refusals', { params: { query } }));
      const tenant = { tenant: tenantId, nobody: '-', all: undefined }[whose];
      return data(api.GET('/admin/refusals', { params: { query: { ...query, ...(tenant && { tenant }) } } }));
    },
    rows: ({ refusals }) => refusals,
    next: ({ nextCursor }) => nextCursor,
  });
  return (
    <>
      <Toolbar>
        {all && (
          <FilterSelect
            label="Whose requests"
            value={whose}
            onChange={(value) => setWhose(value as typeof whose)}
            options={[
              ['tenant', 'Of this tenant'],
              ['nobody', 'Of nobody known'],
              ['all', 'Of everybody'],
            ]}
          />
        )}
        <FilterSelect
          label="Reason"
          value={code}
          onChange={setCode}
          options={[['', 'Every reason'], ...CODES.map((one) => [one, one.replaceAll('_', ' ')] as const)]}
        />
      </Toolbar>
      <ListCard
        label="Recent refusals"
        list={list}
        rowKey={({ id }) => id}
        empty={
          <EmptyState icon={<ShieldCheck size={18} aria-hidden />} title="Nothing was refused">
            Requests that the gateway turns away are kept here for a day.
          </EmptyState>
        }
        columns={[
          { id: 'at', header: 'When', width: '120px', cell: ({ at }) => <Ago at={at} /> },
          {
            id: 'request',
            header: 'Request',
            width: 'minmax(0, 2.2fr)',
            cell: ({ method, path, tenantId: owner }) => (
              <div>
                <span className="mono break">
                  {method} {path}
                </span>
                {all && whose === 'all' && <div className="faint">{owner ?? 'nobody known'}</div>}
              </div>
            ),
          },
          {
            id: 'reason',
            header: 'Reason',
            width: 'minmax(0, 1.5fr)',
            cell: ({ status, title, code: reason }) => (
              <div title={reason}>
                <Badge tone={status >= 500 ? 'bad' : 'warn'}>{status}</Badge> <span>{title}</span>
              </div>
            ),
          },
          {
            id: 'client',
            header: 'Client',
            width: '130px',
            cell: ({ clientAddress }) => <span className="mono">{clientAddress}</span>,
          },
          {
            id: 'why',
            header: 'Explain',
            width: '80px',
            align: 'end',
            unnamed: true,
            cell: ({ id }) => <Link to={linkTo(`/explain?refusal=${encodeURIComponent(id)}`)}>Why?</Link>,
          },
        ]}
      />
    </>
  );
}
