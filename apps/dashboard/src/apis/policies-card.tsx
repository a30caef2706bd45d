import { useMutation } from '@tanstack/react-query';
import { Pencil } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../ui/button';
import { ErrorState, LoadingRows } from '../ui/states';
import { Card, Code } from '../ui/surface';
import { DocumentDialog } from '../ui/document-dialog';
import { tell } from '../ui/toast';
import { useServiceOperations, useServicePolicies } from './queries';

/** What is changed elsewhere, or cannot be. */
const NOT_POLICIES = ['id', 'tenantId', 'createdAt', 'name', 'targets'];

/** Everything else that can be said of a service, as the document that the API takes. */
export function PoliciesCard({ serviceId }: { serviceId: string }) {
  const { data: service, error, refetch } = useServicePolicies(serviceId);
  const [editing, setEditing] = useState(false);
  const { setPolicies } = useServiceOperations();
  const save = useMutation({
    mutationFn: (next: Record<string, unknown>) =>
      setPolicies(serviceId, { ...removals(policies, next), ...next }),
    onSuccess: () => {
      tell('Policies changed');
      setEditing(false);
    },
  });
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!service) return <LoadingRows rows={2} />;
  const policies = Object.fromEntries(
    Object.entries(service).filter(([name]) => !NOT_POLICIES.includes(name)),
  );
  const none = Object.keys(policies).length === 0;
  return (
    <Card
      title="Policies"
      actions={
        <Button
          small
          needs="Services.change"
          icon={<Pencil size={13} aria-hidden />}
          onClick={() => setEditing(true)}
        >
          Edit
        </Button>
      }
    >
      {none ? (
        <p className="soft">
          None. Balancing, health checks, breaker, retries, time-outs, limits, cache and signatures can be set
          here.
        </p>
      ) : (
        <Code label="Policies">{JSON.stringify(policies, null, 2)}</Code>
      )}
      {editing && (
        <DocumentDialog
          title="Policies of the service"
          hint="balance, healthCheck, passive, breaker, timeouts, retries, rateLimit, auth, cache, signing …"
          value={policies}
          busy={save.isPending}
          error={save.error}
          onSave={(next) => save.mutate(next as Record<string, unknown>)}
          onClose={() => setEditing(false)}
        />
      )}
    </Card>
  );
}

/** In a patch null takes a field away. */
function removals(before: object, after: object): Record<string, null> {
  const gone = Object.keys(before).filter((name) => !(name in after));
  return Object.fromEntries(gone.map((name) => [name, null]));
}
