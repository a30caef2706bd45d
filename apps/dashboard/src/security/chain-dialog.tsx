import { useQuery } from '@tanstack/react-query';
import { api, data } from '../api/client';
import { Button } from '../ui/button';
import { Dialog, DialogBody } from '../ui/dialog';
import { whole } from '../ui/format';
import { ErrorNotice, LoadingRows, Notice } from '../ui/states';
import { Badge } from '../ui/surface';
import { DataTable } from '../ui/table';

/** Whether the audit log is what was written: each entry carries the digest of the one before it. */
export function ChainDialog({ onClose }: { onClose: () => void }) {
  const { data: found, error } = useQuery({
    queryKey: ['audit', 'verify'],
    queryFn: () => data(api.GET('/admin/audit/verify')),
    staleTime: 0,
  });
  return (
    <Dialog title="Verification of the audit log" wide onClose={onClose}>
      <DialogBody actions={<Button onClick={onClose}>Close</Button>}>
        {error ? (
          <ErrorNotice error={error} />
        ) : !found ? (
          <LoadingRows rows={3} />
        ) : (
          <>
            <Notice tone={found.ok ? 'good' : 'bad'}>
              {found.ok
                ? 'Nothing was changed or taken out since it was written.'
                : 'The log is not as it was written.'}
            </Notice>
            <DataTable
              label="Chains"
              rows={found.chains}
              rowKey={({ chain }) => chain}
              columns={[
                { id: 'chain', header: 'Chain', cell: ({ chain }) => chain },
                { id: 'entries', header: 'Entries', align: 'end', cell: ({ entries }) => whole(entries) },
                {
                  id: 'state',
                  header: 'State',
                  width: 'minmax(0, 2fr)',
                  cell: ({ ok, broken }) =>
                    ok ? (
                      <Badge tone="good">Whole</Badge>
                    ) : (
                      <Badge tone="bad">{broken ? `Entry ${broken.seq}: ${broken.reason}` : 'Broken'}</Badge>
                    ),
                },
              ]}
            />
          </>
        )}
      </DialogBody>
    </Dialog>
  );
}
