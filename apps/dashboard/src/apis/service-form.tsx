import { useMutation } from '@tanstack/react-query';
import { fieldError } from '../api/problem';
import type { Registration, Service } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { TextArea, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { useForm } from '../ui/use-form';
import { useServiceOperations } from './queries';

interface ServiceFormProps {
  editing?: Service;
  onMade?: (secret: string) => void;
  onClose: () => void;
}

export function ServiceForm({ editing, onMade, onClose }: ServiceFormProps) {
  const { values, set } = useForm({ name: editing?.name ?? '', targets: editing ? linesOf(editing) : '' });
  const { register, change } = useServiceOperations();
  const { mutate, isPending, error } = useMutation<{ api_key?: string }>({
    mutationFn: async () => {
      const body = { name: values.name, targets: targetsOf(values.targets) };
      if (!editing) return register(body);
      await change(String(editing.id), body);
      return {};
    },
    onSuccess: ({ api_key }) => {
      tell(editing ? 'API changed' : 'API registered');
      if (api_key) onMade?.(api_key);
      else onClose();
    },
  });
  return (
    <FormDialog
      title={editing ? `Edit ${editing.name}` : 'Register an API'}
      submit={editing ? 'Save' : 'Register'}
      busy={isPending}
      error={error}
      onSubmit={() => mutate()}
      onClose={onClose}
    >
      <TextField
        label="Name"
        required
        autoFocus
        placeholder="Orders"
        value={values.name}
        onChange={set('name')}
        error={fieldError(error, 'name')}
      />
      <TextArea
        label="Targets"
        required
        rows={3}
        placeholder="https://orders.example.com"
        hint="Where requests are forwarded to: one address a line, with a weight after it if some get more than others."
        value={values.targets}
        onChange={set('targets')}
        error={fieldError(error, 'targets', 'target_url')}
      />
    </FormDialog>
  );
}

function linesOf({ targets }: Service): string {
  return targets.map(({ url, weight }) => (weight === undefined ? url : `${url} ${weight}`)).join('\n');
}

function targetsOf(text: string): NonNullable<Registration['targets']> {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([url]) => url)
    .map(([url = '', weight]) => ({ url, ...(weight !== undefined && { weight: Number(weight) }) }));
}
