import { lazy, type ComponentType } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { useLinkTo } from './session/scope';
import { useSession } from './session/session';
import { Shell } from './shell/shell';

/** A page is fetched when it is first opened. */
const page = <Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name) =>
  lazy(async () => ({ default: (await load())[name] }));

const OverviewPage = page(() => import('./overview/overview-page'), 'OverviewPage');
const TenantsPage = page(() => import('./tenants/tenants-page'), 'TenantsPage');
const TenantPage = page(() => import('./tenants/tenant-page'), 'TenantPage');
const ApisPage = page(() => import('./apis/apis-page'), 'ApisPage');
const ApiPage = page(() => import('./apis/api-page'), 'ApiPage');
const KeysPage = page(() => import('./keys/keys-page'), 'KeysPage');
const MyKeyPage = page(() => import('./keys/my-key-page'), 'MyKeyPage');
const UsagePage = page(() => import('./usage/usage-page'), 'UsagePage');
const BillingPage = page(() => import('./billing/billing-page'), 'BillingPage');
const SecurityPage = page(() => import('./security/security-page'), 'SecurityPage');
const ExplainPage = page(() => import('./explain/explain-page'), 'ExplainPage');

export function Pages() {
  const { session } = useSession();
  const linkTo = useLinkTo();
  if (session.role === 'consumer') return <ConsumerPages />;
  return (
    <Routes>
      <Route element={<Shell />}>
        <Route path="overview" element={<OverviewPage />} />
        <Route path="tenants" element={<TenantsPage />} />
        <Route path="tenants/:tenantId" element={<TenantPage />} />
        <Route path="apis" element={<ApisPage />} />
        <Route path="apis/:serviceId" element={<ApiPage />} />
        <Route path="keys" element={<KeysPage />} />
        <Route path="usage" element={<UsagePage />} />
        <Route path="billing" element={<BillingPage />} />
        <Route path="security" element={<SecurityPage />} />
        <Route path="explain" element={<ExplainPage />} />
        <Route path="*" element={<Navigate to={linkTo('/overview')} replace />} />
      </Route>
    </Routes>
  );
}

/** A key that opens one service shows that service's usage and itself, and nothing of its tenant's. */
function ConsumerPages() {
  return (
    <Routes>
      <Route element={<Shell />}>
        <Route path="keys" element={<MyKeyPage />} />
        <Route path="usage" element={<UsagePage />} />
        <Route path="*" element={<Navigate to="/keys" replace />} />
      </Route>
    </Routes>
  );
}
