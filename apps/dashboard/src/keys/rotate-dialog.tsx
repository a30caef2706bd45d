import type { ApiKey } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { SelectField } from '../ui/field';
import { useForm } from '../ui/use-form';
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
  const { field, form } = useForm({
    initial: { grace: '86400' },
    send: ({ grace }) => rotate(key, Number(grace)),
    onDone: ({ api_key }) => onMade(api_key),
  });
  return (
    <FormDialog
      {...form}
      title={`Rotate ${key.name}`}
      description="A new key takes its place, with the same terms."
      submit="Rotate key"
      onClose={onClose}
    >
      <SelectField
        label="The old key works beside it for"
        options={GRACES}
        hint="Long enough for everybody to change over."
        {...field('grace', 'grace_seconds')}
      />
    </FormDialog>
  );
}
