import { TenantGate } from '../session/tenant-gate';
import { Page } from '../ui/surface';
import { Tabs } from '../ui/tabs';
import { CostsTab } from './costs-tab';
import { PlansTab } from './plans-tab';
import { StatementsTab } from './statements-tab';
import { TermsTab } from './terms-tab';

/** What is owed so far, what was owed before, and on what terms. */
export function BillingPage() {
  return (
    <Page title="Billing" lead="The open cycle, closed ones, and the terms">
      <TenantGate>
        {(tenantId) => (
          <Tabs
            key={tenantId}
            label="Billing"
            pages={[
              { id: 'costs', title: 'Open cycle', content: <CostsTab /> },
              { id: 'statements', title: 'Statements', needs: 'Statements.list', content: <StatementsTab /> },
              {
                id: 'terms',
                title: 'Terms',
                needs: 'TenantBilling.show',
                content: <TermsTab tenantId={tenantId} />,
              },
              { id: 'plans', title: 'Plans', needs: 'Plans.list', content: <PlansTab /> },
            ]}
          />
        )}
      </TenantGate>
    </Page>
  );
}
