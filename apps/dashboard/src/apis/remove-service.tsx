import type { Service } from '../api/types';
import { ConfirmDialog } from '../ui/dialog';
import { tell } from '../ui/toast';
import { useServiceOperations } from './queries';

export function RemoveService({
  of: service,
  onRemoved,
  onClose,
}: {
  of: Service;
  onRemoved?: () => void;
  onClose: () => void;
}) {
  const { remove } = useServiceOperations();
  return (
    <ConfirmDialog
      title={`Delete ${service.name}?`}
      confirm="Delete API"
      word={service.name}
      onClose={onClose}
      onConfirm={async () => {
        await remove(String(service.id));
        tell('API deleted');
        onRemoved?.();
      }}
    >
      Its address stops working, and the keys that open nothing else end with it. This cannot be undone.
    </ConfirmDialog>
  );
}
