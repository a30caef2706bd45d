import { useMutation } from '@tanstack/react-query';
import { fieldError } from '../api/problem';
import type { Maintenance, Tenant } from '../api/types';
import { ConfirmDialog, FormDialog } from '../ui/dialog';
import { TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { listOf, useForm } from '../ui/use-form';
import { useTenantOperations } from './queries';

export function MaintenanceDialog({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const { setMaintenance } = useTenantOperations();
  if (tenant.maintenance) {
    return (
      <ConfirmDialog
        title={`End the maintenance of ${tenant.id}?`}
        confirm="End maintenance"
        onClose={onClose}
        onConfirm={async () => {
          await setMaintenance(tenant.id, null);
          tell('Maintenance ended');
        }}
      >
        Its requests are served again.
      </ConfirmDialog>
    );
  }
  return <StartMaintenance tenant={tenant} onClose={onClose} />;
}

function StartMaintenance({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const { setMaintenance } = useTenantOperations();
  const { values, set } = useForm({ message: '', until: '', allowedIps: '' });
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => setMaintenance(tenant.id, maintenanceOf(values)),
    onSuccess: () => {
      tell('Maintenance started');
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Start maintenance of ${tenant.id}`}
      description="Requests are refused with 503 and Retry-After."
      submit="Start maintenance"
      danger
      busy={isPending}
      error={error}
      onSubmit={() => mutate()}
      onClose={onClose}
    >
      <TextField
        label="Said to clients"
        autoFocus
        value={values.message}
        onChange={set('message')}
        error={fieldError(error, 'message', 'maintenance.message')}
      />
      <TextField
        label="Over at"
        type="datetime-local"
        hint="Empty: until it is ended here."
        value={values.until}
        onChange={set('until')}
        error={fieldError(error, 'until', 'maintenance.until')}
      />
      <TextField
        label="Served all the same"
        placeholder="10.0.0.0/8"
        value={values.allowedIps}
        onChange={set('allowedIps')}
        error={fieldError(error, 'allowedIps', 'maintenance.allowedIps')}
      />
    </FormDialog>
  );
}

function maintenanceOf(values: { message: string; until: string; allowedIps: string }): Maintenance {
  const allowedIps = listOf(values.allowedIps);
  return {
    ...(values.message && { message: values.message }),
    ...(values.until && { until: new Date(values.until).toISOString() }),
    ...(allowedIps.length > 0 && { allowedIps }),
  };
}
