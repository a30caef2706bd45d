import { useState } from 'react';
import type { ApiKey } from '../api/types';
import { ConfirmDialog } from '../ui/dialog';
import { SecretDialog } from '../ui/secret-dialog';
import { tell } from '../ui/toast';
import { KeyDetails } from './key-details';
import { KeyForm } from './key-form';
import { useKeyOperations } from './queries';
import { RotateDialog } from './rotate-dialog';

export type KeyAction =
  | { kind: 'create'; serviceId?: string }
  | { kind: 'show' | 'edit' | 'rotate' | 'toggle' | 'revoke'; key: ApiKey };

/** The dialog of what is being done; one at a time. A new key is shown in it once. */
export function KeyActions({
  action,
  act,
}: {
  action: KeyAction;
  act: (action: KeyAction | undefined) => void;
}) {
  const operations = useKeyOperations();
  const [secret, setSecret] = useState<string>();
  const close = () => act(undefined);
  if (secret) return <SecretDialog title="Your new key" secret={secret} onClose={close} />;
  switch (action.kind) {
    case 'create':
      return <KeyForm serviceId={action.serviceId} onMade={setSecret} onClose={close} />;
    case 'edit':
      return <KeyForm editing={action.key} onClose={close} />;
    case 'show':
      return <KeyDetails of={action.key} act={act} onClose={close} />;
    case 'rotate':
      return <RotateDialog of={action.key} onMade={setSecret} onClose={close} />;
    case 'toggle':
      return <ToggleDialog of={action.key} onClose={close} />;
    case 'revoke':
      return (
        <ConfirmDialog
          title={`Revoke ${action.key.name}?`}
          confirm="Revoke key"
          onClose={close}
          onConfirm={async () => {
            await operations.revoke(action.key);
            tell('Key revoked', 'Every replica refuses it.');
          }}
        >
          Requests with this key are refused from now on, on every replica. This cannot be undone; usage and
          costs are kept.
        </ConfirmDialog>
      );
  }
}

function ToggleDialog({ of: key, onClose }: { of: ApiKey; onClose: () => void }) {
  const { change } = useKeyOperations();
  return (
    <ConfirmDialog
      title={key.enabled ? `Disable ${key.name}?` : `Enable ${key.name}?`}
      confirm={key.enabled ? 'Disable key' : 'Enable key'}
      onClose={onClose}
      onConfirm={async () => {
        await change(key, { enabled: !key.enabled });
        tell(key.enabled ? 'Key disabled' : 'Key enabled');
      }}
    >
      {key.enabled
        ? 'Requests with this key are refused until it is enabled again.'
        : 'Requests with this key are let in again.'}
    </ConfirmDialog>
  );
}
