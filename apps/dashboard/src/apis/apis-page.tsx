import { Plus } from 'lucide-react';
import { useState } from 'react';
import { TenantGate } from '../session/tenant-gate';
import { Button } from '../ui/button';
import { SecretDialog } from '../ui/secret-dialog';
import { Page } from '../ui/surface';
import { Tabs } from '../ui/tabs';
import { PublicationTab } from './publication-tab';
import { RoutesTab } from './routes-tab';
import { ServiceForm } from './service-form';
import { ServiceList } from './service-list';

/** Services and the ways that lead to them. */
export function ApisPage() {
  const [registering, setRegistering] = useState(false);
  const [secret, setSecret] = useState<string>();
  const register = (
    <Button
      variant="primary"
      needs="Registration.register"
      icon={<Plus size={15} aria-hidden />}
      onClick={() => setRegistering(true)}
    >
      Register API
    </Button>
  );
  return (
    <Page title="APIs" lead="Services behind the gateway, and how they are reached" actions={register}>
      <TenantGate>
        {(tenantId) => (
          <>
            <Tabs
              label="APIs"
              pages={[
                { id: 'services', title: 'Services', content: <ServiceList register={register} /> },
                {
                  id: 'routes',
                  title: 'Routes',
                  needs: 'Routes.list',
                  content: <RoutesTab tenantId={tenantId} />,
                },
                {
                  id: 'published',
                  title: 'Published',
                  needs: 'Publication.show',
                  content: <PublicationTab tenantId={tenantId} />,
                },
              ]}
            />
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
              <SecretDialog
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
