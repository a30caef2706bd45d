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
  return (
    <Page title="Security" lead="Who is trusted, who was turned away, and who has changed what">
      <TenantGate>
        {(tenantId) => (
          <Tabs
            key={tenantId}
            label="Security"
            pages={[
              { id: 'refusals', title: 'Recent refusals', content: <RefusalsTab /> },
              {
                id: 'tokens',
                title: 'Tokens',
                needs: 'Tokens.list',
                content: <TokensTab tenantId={tenantId} />,
              },
              {
                id: 'providers',
                title: 'Identity providers',
                needs: 'Tenants.show',
                content: <ProvidersTab tenantId={tenantId} />,
              },
              {
                id: 'addresses',
                title: 'IP lists',
                needs: 'Tenants.show',
                content: <AddressesTab tenantId={tenantId} />,
              },
              {
                id: 'audit',
                title: 'Audit log',
                needs: 'Audit.list',
                content: <AuditTab tenantId={tenantId} />,
              },
              {
                id: 'revisions',
                title: 'Revisions',
                needs: 'Revisions.list',
                content: <RevisionsTab tenantId={tenantId} />,
              },
              {
                id: 'admin-tokens',
                title: 'Admin tokens',
                needs: 'AdminTokens.list',
                content: <AdminTokensTab />,
              },
              { id: 'practice', title: 'Good practice', needs: 'PortalKeys.list', content: <AdviceTab /> },
            ]}
          />
        )}
      </TenantGate>
    </Page>
  );
}
