import { ScrollText, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '../api/client';
import type { AuditEntry } from '../api/types';
import { usePages } from '../api/use-pages';
import { Button } from '../ui/button';
import { Dialog, DialogBody } from '../ui/dialog';
import { SearchField } from '../ui/field';
import { moment } from '../ui/format';
import { ListCard } from '../ui/list-card';
import { EmptyState } from '../ui/states';
import { Badge, Fact, Facts, Toolbar } from '../ui/surface';
import { RowButton } from '../ui/table';
import { Ago } from '../ui/time';
import { useDebounced } from '../ui/use-debounced';
import { ChainDialog } from './chain-dialog';
import { Changes } from './changes';
import { RollbackDialog } from './rollback-dialog';
import { WhoseFilter, type Whose } from './whose';

/** Who has changed what, and who was refused; with what was there before, and the way back. */
export function AuditTab({ tenantId }: { tenantId: string }) {
  const [whose, setWhose] = useState<Whose>('tenant');
  const [action, setAction] = useState('');
  const [actor, setActor] = useState('');
  const [open, setOpen] = useState<AuditEntry>();
  const [verifying, setVerifying] = useState(false);
  const asked = { action: useDebounced(action.trim()), actor: useDebounced(actor.trim()) };
  const list = usePages({
    key: ['audit', whose === 'tenant' ? tenantId : '', asked],
    load: (page) =>
      data(
        api.GET('/admin/audit', {
          params: {
            query: {
              ...page,
              ...(whose === 'tenant' && { tenant: tenantId }),
              ...(asked.action && { action: asked.action }),
              ...(asked.actor && { actor: asked.actor }),
            },
          },
        }),
      ),
    rows: ({ entries }) => entries,
    next: ({ nextCursor }) => nextCursor,
  });
  return (
    <>
      <Toolbar>
        <WhoseFilter value={whose} onChange={setWhose} />
        <SearchField label="Action, as tenant.update" value={action} onChange={setAction} />
        <SearchField label="Actor, as owner" value={actor} onChange={setActor} />
        <Button
          needs="Audit.verify"
          icon={<ShieldCheck size={14} aria-hidden />}
          onClick={() => setVerifying(true)}
        >
          Verify
        </Button>
      </Toolbar>
      <ListCard
        label="Audit log"
        list={list}
        rowKey={({ id }) => id}
        empty={
          <EmptyState icon={<ScrollText size={18} aria-hidden />} title="Nothing was changed">
            Every change, and everybody who was refused one, is written down here.
          </EmptyState>
        }
        columns={[
          { id: 'at', header: 'When', width: '120px', cell: ({ at }) => <Ago at={at} /> },
          {
            id: 'action',
            header: 'Action',
            width: 'minmax(0, 1.6fr)',
            cell: (entry) => (
              <div>
                <RowButton onClick={() => setOpen(entry)}>{entry.action}</RowButton>
                {entry.target && <div className="mono faint">{entry.target}</div>}
              </div>
            ),
          },
          { id: 'actor', header: 'Actor', cell: (entry) => actorOf(entry) },
          {
            id: 'tenant',
            header: 'Tenant',
            cell: ({ tenantId: owner }) => owner ?? <span className="faint">–</span>,
          },
          {
            id: 'status',
            header: 'Answer',
            width: '90px',
            cell: ({ status }) => <Badge tone={status < 400 ? 'good' : 'bad'}>{status}</Badge>,
          },
          {
            id: 'revision',
            header: 'Revision',
            width: '80px',
            align: 'end',
            cell: ({ revision }) => revision ?? <span className="faint">–</span>,
          },
        ]}
      />
      {open && <EntryDialog entry={open} onClose={() => setOpen(undefined)} />}
      {verifying && <ChainDialog onClose={() => setVerifying(false)} />}
    </>
  );
}

const actorOf = ({ actor, actorName }: AuditEntry): string => actorName ?? actor;

function EntryDialog({ entry, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const [undoing, setUndoing] = useState(false);
  const { revision } = entry;
  if (undoing && revision !== undefined) return <RollbackDialog to={revision - 1} onClose={onClose} />;
  return (
    <Dialog title={entry.action} wide onClose={onClose}>
      <DialogBody
        actions={
          <>
            {revision !== undefined && revision > 1 && (
              <Button needs="Revisions.goBack" onClick={() => setUndoing(true)}>
                Roll back to before this
              </Button>
            )}
            <Button variant="primary" onClick={onClose}>
              Close
            </Button>
          </>
        }
      >
        <Facts>
          <Fact term="When">{moment(entry.at)}</Fact>
          <Fact term="Actor">{actorOf(entry)}</Fact>
          {entry.tenantId && <Fact term="Tenant">{entry.tenantId}</Fact>}
          {entry.target && <Fact term="Target">{entry.target}</Fact>}
          <Fact term="Client address">
            <span className="mono">{entry.ip}</span>
          </Fact>
          <Fact term="Request">
            <span className="mono">{entry.requestId}</span>
          </Fact>
          {entry.hash && (
            <Fact term="Link of the chain">
              <span className="mono">
                {entry.chain} {entry.seq} · {entry.hash.slice(0, 16)}
              </span>
            </Fact>
          )}
          {Object.entries(entry.details ?? {}).map(([name, value]) => (
            <Fact key={name} term={name}>
              {String(value)}
            </Fact>
          ))}
        </Facts>
        {entry.changes && <Changes of={entry.changes} />}
      </DialogBody>
    </Dialog>
  );
}
