import { useScope } from '../session/scope';
import { TenantGate } from '../session/tenant-gate';
import { Page } from '../ui/surface';
import { Tabs } from '../ui/tabs';
import { AddressesTab } from './addresses-tab';
import { AdminTokensTab } from './admin-tokens-tab';
import { AdviceTab } from './advice-tab';
import { AuditTab } from './audit-tab';
import { ProvidersTab } from './providers-tab';
import { RefusalsTab } from './refusals-tab';
import { RevisionsTab } from './revisions-tab';
import { TokensTab } from './tokens-tab';

/** Who is trusted, who was turned away, and who has changed what. */
export function SecurityPage() {
  const { admin } = useScope();
  return (
    <Page title="Security" lead="Who is trusted, who was turned away, and who has changed what">
      <TenantGate>
        {(tenantId) => (
          <Tabs
            key={tenantId}
            label="Security"
            pages={[
              { id: 'refusals', title: 'Recent refusals', content: <RefusalsTab /> },
              ...(admin
                ? [
                    { id: 'tokens', title: 'Tokens', content: <TokensTab tenantId={tenantId} /> },
                    {
                      id: 'providers',
                      title: 'Identity providers',
                      content: <ProvidersTab tenantId={tenantId} />,
                    },
                    { id: 'addresses', title: 'IP lists', content: <AddressesTab tenantId={tenantId} /> },
                    { id: 'audit', title: 'Audit log', content: <AuditTab tenantId={tenantId} /> },
                    { id: 'revisions', title: 'Revisions', content: <RevisionsTab tenantId={tenantId} /> },
                    { id: 'admin-tokens', title: 'Admin tokens', content: <AdminTokensTab /> },
                  ]
                : []),
              { id: 'practice', title: 'Good practice', content: <AdviceTab /> },
            ]}
          />
        )}
      </TenantGate>
    </Page>
  );
}
