import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { ApiKey } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { SelectField } from '../ui/field';
import { useKeyOperations } from './queries';

const GRACES = [
  ['0', 'None: the old key ends at once'],
  ['3600', '1 hour'],
  ['86400', '1 day'],
  ['604800', '7 days'],
  ['2592000', '30 days'],
] as const;

export function RotateDialog({
  of: key,
  onMade,
  onClose,
}: {
  of: ApiKey;
  onMade: (secret: string) => void;
  onClose: () => void;
}) {
  const { rotate } = useKeyOperations();
  const [grace, setGrace] = useState('86400');
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => rotate(key, Number(grace)),
    onSuccess: ({ api_key }) => onMade(api_key),
  });
  return (
    <FormDialog
      title={`Rotate ${key.name}`}
      description="A new key takes its place, with the same terms."
      submit="Rotate key"
      busy={isPending}
      error={error}
      onSubmit={() => mutate()}
      onClose={onClose}
    >
      <SelectField
        label="The old key works beside it for"
        value={grace}
        onChange={setGrace}
        options={GRACES}
        hint="Long enough for everybody to change over."
      />
    </FormDialog>
  );
}
