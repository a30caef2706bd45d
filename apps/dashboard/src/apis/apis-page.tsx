import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useScope } from '../session/scope';
import { manages, useSession } from '../session/session';
import { TenantGate } from '../session/tenant-gate';
import { Button } from '../ui/button';
import { Page } from '../ui/surface';
import { Tabs } from '../ui/tabs';
import { NewKeyDialog } from '../keys/key-actions';
import { PublicationTab } from './publication-tab';
import { RoutesTab } from './routes-tab';
import { ServiceForm } from './service-form';
import { ServiceList } from './service-list';

/** Services and the ways that lead to them. */
export function ApisPage() {
  const { session } = useSession();
  const { admin } = useScope();
  const [registering, setRegistering] = useState(false);
  const [secret, setSecret] = useState<string>();
  const register = manages(session) && (
    <Button variant="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setRegistering(true)}>
      Register API
    </Button>
  );
  return (
    <Page title="APIs" lead="Services behind the gateway, and how they are reached" actions={register}>
      <TenantGate>
        {(tenantId) => (
          <>
            {admin ? (
              <Tabs
                label="APIs"
                pages={[
                  { id: 'services', title: 'Services', content: <ServiceList register={register} /> },
                  { id: 'routes', title: 'Routes', content: <RoutesTab tenantId={tenantId} /> },
                  { id: 'published', title: 'Published', content: <PublicationTab tenantId={tenantId} /> },
                ]}
              />
            ) : (
              <ServiceList register={register} />
            )}
            {registering && (
              <ServiceForm
                onMade={(key) => {
                  setRegistering(false);
                  setSecret(key);
                }}
                onClose={() => setRegistering(false)}
              />
            )}
            {secret && (
              <NewKeyDialog
                secret={secret}
                title="A key for the new API"
                onClose={() => setSecret(undefined)}
              />
            )}
          </>
        )}
      </TenantGate>
    </Page>
  );
}
