import type { Tenant } from '../api/types';
import { StartMaintenance } from '../maintenance/start-maintenance';
import { ConfirmDialog } from '../ui/dialog';
import { tell } from '../ui/toast';
import { useTenantOperations } from './queries';

export function MaintenanceDialog({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const { setMaintenance } = useTenantOperations();
  if (!tenant.maintenance) {
    return (
      <StartMaintenance
        title={`Start maintenance of ${tenant.id}`}
        description="Its requests are refused with 503 and Retry-After."
        start={(maintenance) => setMaintenance(tenant.id, maintenance)}
        onClose={onClose}
      />
    );
  }
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
