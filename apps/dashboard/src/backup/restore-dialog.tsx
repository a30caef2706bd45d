import { useQueryClient } from '@tanstack/react-query';
import { api, data } from '../api/client';
import { askAnew } from '../api/use-done';
import type { Restored } from '../api/types';
import { ConfirmDialog } from '../ui/dialog';
import { tell } from '../ui/toast';

export interface Restoring {
  file: File;
  replace: boolean;
}

interface RestoreDialogProps {
  of: Restoring;
  onRestored: (restored: Restored) => void;
  onClose: () => void;
}

/** The last thing between a file and everything there is. */
export function RestoreDialog({ of: { file, replace }, onRestored, onClose }: RestoreDialogProps) {
  const queries = useQueryClient();
  return (
    <ConfirmDialog
      title={`Restore ${file.name}?`}
      confirm="Restore"
      word="restore"
      onClose={onClose}
      onConfirm={async () => {
        onRestored(await restore(file, replace));
        tell('Backup restored');
        // Nothing that was seen before need be there any more.
        await askAnew(queries);
      }}
    >
      {replace
        ? 'Everything that the gateway holds becomes what the file says, and what is not in it is gone. This cannot be undone: take a backup first.'
        : 'It is refused if the gateway holds anything that is not in the file.'}
    </ConfirmDialog>
  );
}

/** The browser reads the file from the disk while it is sent. */
function restore(file: File, replace: boolean): Promise<Restored> {
  return data(
    api.POST('/admin/restore', {
      params: { query: { replace } },
      headers: { 'Content-Type': 'application/x-ndjson' },
      body: file as unknown as string,
      bodySerializer: (body) => body as unknown as BodyInit,
    }),
  );
}
