import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, data } from '../api/client';
import { askAnew } from '../api/use-done';
import { FormDialog } from '../ui/dialog';
import { CheckField } from '../ui/field';
import { ErrorNotice, LoadingRows, Notice } from '../ui/states';
import { tell } from '../ui/toast';
import { Changes } from './changes';

interface RollbackDialogProps {
  /** The configuration as it was right after this revision; 0: before the first. */
  to: number;
  onClose: () => void;
}

/** Shows what would change before anything does. The way back is a revision itself, and can be undone in its turn. */
export function RollbackDialog({ to, onClose }: RollbackDialogProps) {
  const queries = useQueryClient();
  const [force, setForce] = useState(false);
  const params = { path: { number: String(to) } };
  const plan = useQuery({
    queryKey: ['revisions', 'rollback', to],
    queryFn: () =>
      data(api.POST('/admin/revisions/{number}/rollback', { params, body: { dryRun: true, force: true } })),
    staleTime: 0,
  });
  const run = useMutation({
    mutationFn: () =>
      data(api.POST('/admin/revisions/{number}/rollback', { params, body: { ...(force && { force }) } })),
    onSuccess: async ({ revision }) => {
      tell('Rolled back', revision === undefined ? undefined : `As revision ${revision}`);
      await askAnew(queries);
      onClose();
    },
  });
  const nothing = plan.data?.changes.length === 0;
  return (
    <FormDialog
      title={`Roll back to revision ${to}?`}
      description="Everything that was changed later is undone. Keys that were revoked stay revoked."
      wide
      danger
      submit="Roll back"
      busy={run.isPending}
      disabled={!plan.data || nothing}
      error={run.error}
      onSubmit={() => run.mutate()}
      onClose={onClose}
    >
      {plan.error ? (
        <ErrorNotice error={plan.error} />
      ) : !plan.data ? (
        <LoadingRows rows={3} />
      ) : (
        <>
          {plan.data.skipped.map(({ kind, id, reason }) => (
            <Notice key={`${kind} ${id}`} tone="warn">
              {kind.replaceAll('_', ' ')} {id} stays as it is: {reason}
            </Notice>
          ))}
          <Changes of={plan.data.changes} />
          <CheckField
            label="Also over changes that were made by other programs"
            checked={force}
            onChange={setForce}
          />
        </>
      )}
    </FormDialog>
  );
}
