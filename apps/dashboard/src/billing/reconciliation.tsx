import { useState } from 'react';
import { Button } from '../ui/button';
import { whole } from '../ui/format';
import { ErrorNotice, LoadingRows, Notice } from '../ui/states';
import { Card } from '../ui/surface';
import { DataTable } from '../ui/table';
import { useReconciliation } from './queries';

/** Compares what is billed with what was counted on another way; asked for, not watched. */
export function Reconciliation() {
  const [asked, setAsked] = useState(false);
  const { data: found, error, isFetching, refetch } = useReconciliation(asked);
  return (
    <Card
      title="Reconciliation"
      bare={asked}
      actions={
        <Button
          small
          needs="Billing.reconcile"
          busy={isFetching}
          onClick={() => (asked ? void refetch() : setAsked(true))}
        >
          Compare
        </Button>
      }
    >
      {!asked && (
        <p className="soft">Compares what is billed in the open cycle with what usage has counted.</p>
      )}
      {error ? <ErrorNotice error={error} /> : null}
      {asked && !error && !found && <LoadingRows rows={2} />}
      {found && (
        <>
          <Notice tone={found.in_balance ? 'good' : 'warn'}>
            {found.in_balance
              ? 'In balance: every billed request was counted, and the other way round.'
              : 'Not in balance. Requests that are on their way at the moment show as a difference too.'}
          </Notice>
          {found.keys.length > 0 && (
            <DataTable
              label="Reconciliation by key"
              rows={found.keys}
              rowKey={({ key_id }) => key_id}
              columns={[
                {
                  id: 'key',
                  header: 'Key',
                  width: 'minmax(0, 2fr)',
                  cell: ({ key_id }) => <span className="mono">{key_id}</span>,
                },
                { id: 'rated', header: 'Billed', align: 'end', cell: ({ rated }) => whole(rated) },
                { id: 'counted', header: 'Counted', align: 'end', cell: ({ counted }) => whole(counted) },
                {
                  id: 'difference',
                  header: 'Difference',
                  align: 'end',
                  cell: ({ rated_minus_counted }) => whole(rated_minus_counted),
                },
              ]}
            />
          )}
        </>
      )}
    </Card>
  );
}
