import { Lock } from 'lucide-react';
import { lazy, type ComponentType } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { firstPlace, placeAt } from './places';
import { useMay, type Needs } from './session/may';
import { useLinkTo } from './session/scope';
import { Shell } from './shell/shell';
import { EmptyState } from './ui/states';
import { Card, Page } from './ui/surface';

/** A page is fetched when it is first opened. */
const page = <Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name) =>
  lazy(async () => ({ default: (await load())[name] }));

const OverviewPage = page(() => import('./overview/overview-page'), 'OverviewPage');
const TenantsPage = page(() => import('./tenants/tenants-page'), 'TenantsPage');
const TenantPage = page(() => import('./tenants/tenant-page'), 'TenantPage');
const MaintenancePage = page(() => import('./maintenance/maintenance-page'), 'MaintenancePage');
const WebhooksPage = page(() => import('./webhooks/webhooks-page'), 'WebhooksPage');
const WebhookPage = page(() => import('./webhooks/webhook-page'), 'WebhookPage');
const BackupPage = page(() => import('./backup/backup-page'), 'BackupPage');
const ApisPage = page(() => import('./apis/apis-page'), 'ApisPage');
const ApiPage = page(() => import('./apis/api-page'), 'ApiPage');
const KeysPage = page(() => import('./keys/keys-page'), 'KeysPage');
const MyKeyPage = page(() => import('./keys/my-key-page'), 'MyKeyPage');
const UsagePage = page(() => import('./usage/usage-page'), 'UsagePage');
const BillingPage = page(() => import('./billing/billing-page'), 'BillingPage');
const SecurityPage = page(() => import('./security/security-page'), 'SecurityPage');
const ExplainPage = page(() => import('./explain/explain-page'), 'ExplainPage');

/** Of two pages at one path the first is shown that is allowed. What is said of a place in `PLACES` is not said again. */
const PAGES: ReadonlyArray<readonly [path: string, Page: ComponentType, needs?: Needs]> = [
  ['/overview', OverviewPage],
  ['/tenants', TenantsPage],
  ['/tenants/:tenantId', TenantPage, 'Tenants.show'],
  ['/maintenance', MaintenancePage],
  ['/webhooks', WebhooksPage],
  ['/webhooks/:webhookId', WebhookPage, 'Webhooks.show'],
  ['/backup', BackupPage],
  ['/apis', ApisPage],
  ['/apis/:serviceId', ApiPage, 'PortalServices.show'],
  ['/keys', KeysPage, 'PortalKeys.list'],
  // Who holds a key of one service sees that key, and nothing of its tenant's.
  ['/keys', MyKeyPage, 'Me.showKey'],
  ['/usage', UsagePage],
  ['/billing', BillingPage],
  ['/security', SecurityPage],
  ['/explain', ExplainPage],
];

export function Pages() {
  const may = useMay();
  const linkTo = useLinkTo();
  const first = firstPlace(may);
  return (
    <Routes>
      <Route element={<Shell />}>
        {PAGES.filter(([path, , needs]) => may(needs ?? placeAt(path)?.needs)).map(([path, Shown, needs]) => (
          <Route key={`${path} ${String(needs)}`} path={path} element={<Shown />} />
        ))}
        <Route path="*" element={first ? <Navigate to={linkTo(first.path)} replace /> : <NothingHere />} />
      </Route>
    </Routes>
  );
}

/** A token for programs, such as the one that reads the metrics, is known and has nothing to see. */
function NothingHere() {
  return (
    <Page title="Nothing to see">
      <Card bare>
        <EmptyState icon={<Lock size={18} aria-hidden />} title="This token opens no page">
          It is known, but what it may do is done by programs. Sign in with another one.
        </EmptyState>
      </Card>
    </Page>
  );
}
