import type { ApiKey } from '../api/types';
import { Button } from '../ui/button';
import { Copyable } from '../ui/copy';
import { Dialog, DialogBody } from '../ui/dialog';
import { decimal, moment, whole } from '../ui/format';
import { Badge, Fact, Facts } from '../ui/surface';
import type { KeyAction } from './key-actions';
import { KeyState, limitText } from './key-columns';

export function KeyDetails({
  of: key,
  act,
  onClose,
}: {
  of: ApiKey;
  act: (action: KeyAction) => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={key.name} wide onClose={onClose}>
      <DialogBody
        actions={
          <>
            <Button needs="PortalKeys.revoke" onClick={() => act({ kind: 'revoke', key })}>
              Revoke
            </Button>
            <Button
              needs="PortalKeys.rotate"
              onClick={() => act({ kind: 'rotate', key })}
              disabled={!key.active}
            >
              Rotate
            </Button>
            <Button needs="PortalKeys.change" variant="primary" onClick={() => act({ kind: 'edit', key })}>
              Edit
            </Button>
          </>
        }
      >
        <KeyFacts of={key} />
      </DialogBody>
    </Dialog>
  );
}

export function KeyFacts({ of: key }: { of: ApiKey }) {
  return (
    <Facts>
      <Fact term="State">
        <KeyState of={key} />
      </Fact>
      <Fact term="Id">
        <Copyable text={key.id} label="Copy id" />
      </Fact>
      <Fact term="Begins with">
        <code>{key.prefix}</code>
      </Fact>
      <Fact term="Opens">{key.service_id === null ? 'All services' : `Service ${key.service_id}`}</Fact>
      <Fact term="Rate limit">{limitText(key)}</Fact>
      <Fact term="Monthly quota">{key.monthly_quota ? whole(key.monthly_quota) : 'None'}</Fact>
      <Fact term="Price per request">{decimal(key.price_per_request)}</Fact>
      <Fact term="Expires">{key.expires_at ? moment(key.expires_at) : 'Never'}</Fact>
      <Fact term="Created">{moment(key.created_at)}</Fact>
      {key.valid_until && <Fact term="Replaced, ends">{moment(key.valid_until)}</Fact>}
      {list('Routes', key.allowed_routes)}
      {list('Methods', key.allowed_methods)}
      {list('Addresses', key.allowed_ips)}
      {key.labels && Object.keys(key.labels).length > 0 && (
        <Fact term="Labels">
          {Object.entries(key.labels).map(([name, value]) => (
            <Badge key={name} plain>
              {name}: {value}
            </Badge>
          ))}
        </Fact>
      )}
    </Facts>
  );
}

function list(term: string, values: readonly string[] | null | undefined) {
  if (!values?.length) return null;
  return <Fact term={term}>{values.join(', ')}</Fact>;
}
