import { Download, FileText } from 'lucide-react';
import { useState } from 'react';
import type { StatementHead } from '../api/types';
import { Button } from '../ui/button';
import { Copyable } from '../ui/copy';
import { Dialog, DialogBody } from '../ui/dialog';
import { download } from '../ui/download';
import { day, moment, money, whole } from '../ui/format';
import { ListCard } from '../ui/list-card';
import { EmptyState, ErrorState, LoadingRows } from '../ui/states';
import { Fact, Facts } from '../ui/surface';
import { DataTable, RowButton } from '../ui/table';
import { useBillingOperations, useStatement, useStatements } from './queries';

export function StatementsTab() {
  const list = useStatements();
  const [open, setOpen] = useState<StatementHead>();
  return (
    <>
      <ListCard
        label="Statements"
        list={list}
        rowKey={({ id }) => id}
        empty={
          <EmptyState icon={<FileText size={18} aria-hidden />} title="No statements yet">
            When a billing cycle is closed, its statement is kept here and never changes.
          </EmptyState>
        }
        columns={[
          {
            id: 'cycle',
            header: 'Cycle',
            cell: (statement) => (
              <RowButton onClick={() => setOpen(statement)}>Cycle {statement.cycle}</RowButton>
            ),
          },
          {
            id: 'from',
            header: 'Opened',
            cell: ({ openedAt }) => (openedAt.startsWith('1970') ? 'From the beginning' : day(openedAt)),
          },
          { id: 'to', header: 'Closed', cell: ({ closedAt }) => moment(closedAt) },
          {
            id: 'total',
            header: 'Total',
            align: 'end',
            cell: ({ total, currency }) => <strong>{money(total, currency)}</strong>,
          },
          {
            id: 'download',
            header: 'Download',
            align: 'end',
            width: '160px',
            cell: (statement) => <Downloads of={statement} />,
          },
        ]}
      />
      {open && <StatementDialog of={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function Downloads({ of: { id, cycle, tenantId } }: { of: StatementHead }) {
  const { download: fetched } = useBillingOperations();
  const save = async (format: 'csv' | 'json', type: string) =>
    download(`statement-${tenantId}-${cycle}.${format}`, type, await fetched(id, format));
  const icon = <Download size={13} aria-hidden />;
  return (
    <span style={{ display: 'inline-flex', gap: 6 }}>
      <Button
        small
        icon={icon}
        onClick={() => void save('csv', 'text/csv')}
        aria-label={`Cycle ${cycle} as CSV`}
      >
        CSV
      </Button>
      <Button
        small
        icon={icon}
        onClick={() => void save('json', 'application/json')}
        aria-label={`Cycle ${cycle} as JSON`}
      >
        JSON
      </Button>
    </span>
  );
}

function StatementDialog({ of: head, onClose }: { of: StatementHead; onClose: () => void }) {
  const { data: statement, error } = useStatement(head.id);
  return (
    <Dialog title={`Statement of cycle ${head.cycle}`} wide onClose={onClose}>
      <DialogBody actions={<Button onClick={onClose}>Close</Button>}>
        {error ? (
          <ErrorState error={error} />
        ) : !statement ? (
          <LoadingRows />
        ) : (
          <>
            <Facts>
              <Fact term="Closed">{moment(statement.closedAt)}</Fact>
              <Fact term="Total">
                <strong>{money(statement.total, statement.currency)}</strong>
              </Fact>
              {statement.fees.map(({ planId, amount }) => (
                <Fact key={planId} term={`Fee of ${planId}`}>
                  {money(amount, statement.currency)}
                </Fact>
              ))}
              <Fact term="Digest">
                <Copyable text={statement.digest} label="Copy digest" />
              </Fact>
            </Facts>
            <DataTable
              label="Lines"
              rows={statement.lines}
              rowKey={({ keyId }) => keyId}
              columns={[
                { id: 'key', header: 'Key', width: 'minmax(0, 2fr)', cell: ({ keyName }) => keyName },
                { id: 'requests', header: 'Requests', align: 'end', cell: ({ requests }) => whole(requests) },
                {
                  id: 'cost',
                  header: 'Cost',
                  align: 'end',
                  cell: ({ cost }) => money(cost, statement.currency),
                },
              ]}
            />
          </>
        )}
      </DialogBody>
    </Dialog>
  );
}
