import type { Maintenance } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { FieldRow, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { listOf, numberOf, useForm } from '../ui/use-form';

interface StartMaintenanceProps {
  title: string;
  description: string;
  start: (maintenance: Maintenance) => Promise<unknown>;
  onClose: () => void;
}

/** Of the gateway or of one tenant: what is refused differs, what can be said of it does not. */
export function StartMaintenance({ title, description, start, onClose }: StartMaintenanceProps) {
  const { field, form } = useForm({
    initial: { message: '', until: '', retryAfter: '', allowedIps: '' },
    send: (values) => start(maintenanceOf(values)),
    onDone: () => {
      tell('Maintenance started');
      onClose();
    },
  });
  const at = (name: string) => [name, `maintenance.${name}`];
  return (
    <FormDialog
      {...form}
      title={title}
      description={description}
      submit="Start maintenance"
      danger
      onClose={onClose}
    >
      <TextField label="Said to clients" autoFocus {...field('message', ...at('message'))} />
      <FieldRow>
        <TextField
          label="Over at"
          type="datetime-local"
          hint="Empty: until it is ended here."
          {...field('until', ...at('until'))}
        />
        <TextField
          label="Retry-After, seconds"
          inputMode="numeric"
          placeholder="60"
          hint="Where no end is known."
          {...field('retryAfter', ...at('retryAfterSeconds'))}
        />
      </FieldRow>
      <TextField
        label="Served all the same"
        placeholder="10.0.0.0/8"
        hint="Addresses and ranges of clients, with commas between."
        {...field('allowedIps', ...at('allowedIps'))}
      />
    </FormDialog>
  );
}

interface MaintenanceValues {
  message: string;
  until: string;
  retryAfter: string;
  allowedIps: string;
}

function maintenanceOf({ message, until, retryAfter, allowedIps }: MaintenanceValues): Maintenance {
  const addresses = listOf(allowedIps);
  const retryAfterSeconds = numberOf(retryAfter);
  return {
    ...(message && { message }),
    ...(until && { until: new Date(until).toISOString() }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(addresses.length > 0 && { allowedIps: addresses }),
  };
}
