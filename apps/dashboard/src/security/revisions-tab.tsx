import { useQuery } from '@tanstack/react-query';
import { History } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '../api/client';
import type { Revision } from '../api/types';
import { usePages } from '../api/use-pages';
import { Button } from '../ui/button';
import { Dialog, DialogBody } from '../ui/dialog';
import { moment } from '../ui/format';
import { ListCard } from '../ui/list-card';
import { EmptyState, ErrorNotice, LoadingRows } from '../ui/states';
import { Toolbar } from '../ui/surface';
import { ACTIONS, RowButton } from '../ui/table';
import { Ago } from '../ui/time';
import { Changes } from './changes';
import { RollbackDialog } from './rollback-dialog';
import { WhoseFilter, type Whose } from './whose';

/** Every state that the configuration has been in, with the difference to the one before and the way back. */
export function RevisionsTab({ tenantId }: { tenantId: string }) {
  const [whose, setWhose] = useState<Whose>('tenant');
  const [open, setOpen] = useState<Revision>();
  const [rollingBack, setRollingBack] = useState<number>();
  const list = usePages({
    key: ['revisions', 'list', whose === 'tenant' ? tenantId : ''],
    load: (page) =>
      data(
        api.GET('/admin/revisions', {
          params: { query: { ...page, ...(whose === 'tenant' && { tenant: tenantId }) } },
        }),
      ),
    rows: ({ revisions }) => revisions,
    next: ({ nextCursor }) => nextCursor,
  });
  const head = list.first?.head;
  return (
    <>
      <Toolbar>
        <WhoseFilter value={whose} onChange={setWhose} />
      </Toolbar>
      <ListCard
        label="Revisions"
        list={list}
        rowKey={({ number }) => String(number)}
        empty={
          <EmptyState icon={<History size={18} aria-hidden />} title="No revisions">
            Every change of the configuration makes one.
          </EmptyState>
        }
        columns={[
          {
            id: 'number',
            header: 'Revision',
            width: '110px',
            cell: (revision) => (
              <RowButton onClick={() => setOpen(revision)}>Revision {revision.number}</RowButton>
            ),
          },
          { id: 'at', header: 'When', width: '130px', cell: ({ at }) => <Ago at={at} /> },
          { id: 'action', header: 'Action', cell: ({ action }) => action },
          { id: 'actor', header: 'Actor', cell: ({ actor, actorName }) => actorName ?? actor },
          {
            id: 'objects',
            header: 'Changed',
            width: 'minmax(0, 1.6fr)',
            cell: ({ objects }) => (
              <span className="soft break">
                {objects
                  .slice(0, 3)
                  .map(({ kind, id }) => `${kind.replaceAll('_', ' ')} ${id}`)
                  .join(', ')}
                {objects.length > 3 && ` and ${objects.length - 3} more`}
              </span>
            ),
          },
          {
            ...ACTIONS,
            width: '92px',
            cell: ({ number }) =>
              number !== head && (
                <Button
                  small
                  needs="Revisions.goBack"
                  onClick={() => setRollingBack(number)}
                  aria-label={`Roll back to revision ${number}`}
                >
                  Roll back
                </Button>
              ),
          },
        ]}
      />
      {open && <RevisionDialog of={open} onClose={() => setOpen(undefined)} />}
      {rollingBack !== undefined && (
        <RollbackDialog to={rollingBack} onClose={() => setRollingBack(undefined)} />
      )}
    </>
  );
}

function RevisionDialog({ of: { number, at }, onClose }: { of: Revision; onClose: () => void }) {
  const { data: revision, error } = useQuery({
    queryKey: ['revisions', 'one', number],
    queryFn: () =>
      data(api.GET('/admin/revisions/{number}', { params: { path: { number: String(number) } } })),
  });
  return (
    <Dialog title={`Revision ${number}`} description={moment(at)} wide onClose={onClose}>
      <DialogBody actions={<Button onClick={onClose}>Close</Button>}>
        {error ? (
          <ErrorNotice error={error} />
        ) : revision ? (
          <Changes of={revision.changes} />
        ) : (
          <LoadingRows rows={3} />
        )}
      </DialogBody>
    </Dialog>
  );
}
