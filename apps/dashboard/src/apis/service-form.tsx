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
  const { register, change } = useServiceOperations();
  const { field, form } = useForm({
    initial: { name: editing?.name ?? '', targets: editing ? linesOf(editing) : '' },
    send: async (values): Promise<{ api_key?: string }> => {
      const body = { name: values.name, targets: targetsOf(values.targets) };
      if (!editing) return register(body);
      await change(String(editing.id), body);
      return {};
    },
    onDone: ({ api_key }) => {
      tell(editing ? 'API changed' : 'API registered');
      if (api_key) onMade?.(api_key);
      else onClose();
    },
  });
  return (
    <FormDialog
      {...form}
      title={editing ? `Edit ${editing.name}` : 'Register an API'}
      submit={editing ? 'Save' : 'Register'}
      onClose={onClose}
    >
      <TextField label="Name" required autoFocus placeholder="Orders" {...field('name')} />
      <TextArea
        label="Targets"
        required
        rows={3}
        placeholder="https://orders.example.com"
        hint="Where requests are forwarded to: one address a line, with a weight after it if some get more than others."
        {...field('targets', 'targets', 'target_url')}
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
