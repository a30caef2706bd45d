import { FileJson, Pencil } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import type { AnyTenant, Tenant } from '../api/types';
import { useMay } from '../session/may';
import { Button, buttonClass } from '../ui/button';
import { ConfirmDialog } from '../ui/dialog';
import { moment, whole } from '../ui/format';
import { ErrorState, LoadingRows, Notice } from '../ui/states';
import { Badge, Card, Code, Columns, Fact, Facts, Page, Toolbar } from '../ui/surface';
import { tell } from '../ui/toast';
import { EditTenant, TenantDocument } from './edit-tenant';
import { MaintenanceDialog } from './maintenance-dialog';
import { isWhole, useTenant, useTenantOperations } from './queries';
import { TenantState } from './tenants-page';
import { CacheCard } from './cache-card';

type Open = 'edit' | 'document' | 'suspend' | 'maintenance' | 'remove';

/** One tenant: what it is, and everything that can be done to it. */
export function TenantPage() {
  const { tenantId = '' } = useParams();
  const may = useMay();
  const { data: tenant, error, refetch } = useTenant(tenantId);
  const [open, setOpen] = useState<Open>();
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!tenant) return <LoadingRows />;
  return (
    <Page
      title={isWhole(tenant) ? tenant.name : tenant.id}
      lead={may('Tenants.list') && <Link to="/tenants">All tenants</Link>}
      actions={
        <>
          {isWhole(tenant) && (
            <Button
              needs="Tenants.change"
              icon={<Pencil size={14} aria-hidden />}
              onClick={() => setOpen('edit')}
            >
              Edit
            </Button>
          )}
          <Button
            needs="Tenants.replace"
            icon={<FileJson size={14} aria-hidden />}
            onClick={() => setOpen('document')}
          >
            Edit as JSON
          </Button>
        </>
      }
    >
      {isWhole(tenant) ? <Whole tenant={tenant} /> : <Broken tenant={tenant} />}
      <Actions tenant={tenant} open={setOpen} />
      <Dialogs tenant={tenant} open={open} close={() => setOpen(undefined)} />
    </Page>
  );
}

function Whole({ tenant }: { tenant: Tenant }) {
  const at = (path: string) => `${path}?tenant=${encodeURIComponent(tenant.id)}`;
  const may = useMay();
  const { rateLimit, maintenance, idp, idps } = tenant;
  const providers = (idp ? 1 : 0) + (idps?.length ?? 0);
  return (
    <>
      <Columns>
        <Card title="Tenant" actions={<TenantState of={tenant} />}>
          <Facts>
            <Fact term="Id">{tenant.id}</Fact>
            <Fact term="Upstream">
              <span className="mono">{tenant.upstreamBaseUrl}</span>
            </Fact>
            <Fact term="Routes">{tenant.allowedRoutes.map(({ path }) => path).join(', ') || 'None'}</Fact>
            <Fact term="Limit">
              {rateLimit ? `${whole(rateLimit.maxRequests)} in ${rateLimit.windowSeconds} s` : 'The default'}
            </Fact>
            <Fact term="Identity providers">{providers === 0 ? 'None' : providers}</Fact>
            {maintenance && (
              <Fact term="Maintenance">
                {maintenance.message ?? 'Requests are refused'}
                {maintenance.until && ` until ${moment(maintenance.until)}`}
              </Fact>
            )}
          </Facts>
        </Card>
        <Card title="Belongs to it">
          <Toolbar>
            {(
              [
                ['/apis', 'APIs'],
                ['/keys', 'API keys'],
                ['/usage', 'Usage'],
                ['/billing', 'Billing'],
                ['/security', 'Security'],
              ] as const
            ).map(([path, text]) => (
              <Link key={path} className={buttonClass()} to={at(path)}>
                {text}
              </Link>
            ))}
          </Toolbar>
        </Card>
      </Columns>
      {may('Cache.show') && <CacheCard tenantId={tenant.id} />}
      <Card title="Document">
        <Code label="Document of the tenant">{JSON.stringify(tenant, null, 2)}</Code>
      </Card>
    </>
  );
}

function Broken({ tenant }: { tenant: AnyTenant }) {
  const problems = 'problems' in tenant ? tenant.problems : [];
  return (
    <Notice tone="bad">
      The stored document cannot be served.{' '}
      {problems.map(({ field, message }) => `${field} ${message}`).join('; ')}
    </Notice>
  );
}

function Actions({ tenant, open }: { tenant: AnyTenant; open: (what: Open) => void }) {
  const may = useMay();
  const suspended = isWhole(tenant) && tenant.suspended;
  const maintained = isWhole(tenant) && tenant.maintenance;
  if (!suspended && !may(['Tenants.change', 'Tenants.suspend', 'Tenants.remove'])) return null;
  return (
    <Card title="Take out of service">
      <Toolbar>
        {isWhole(tenant) && (
          <>
            <Button needs="Tenants.change" onClick={() => open('maintenance')}>
              {maintained ? 'End maintenance' : 'Start maintenance'}
            </Button>
            <Button needs={suspended ? 'Tenants.resume' : 'Tenants.suspend'} onClick={() => open('suspend')}>
              {suspended ? 'Resume' : 'Suspend'}
            </Button>
          </>
        )}
        <Button variant="danger" needs="Tenants.remove" onClick={() => open('remove')}>
          Delete tenant
        </Button>
        {suspended && <Badge tone="bad">Every request is refused with 403</Badge>}
      </Toolbar>
    </Card>
  );
}

interface DialogsProps {
  tenant: AnyTenant;
  open: Open | undefined;
  close: () => void;
}

function Dialogs({ tenant, open, close }: DialogsProps) {
  const navigate = useNavigate();
  const { suspend, resume, remove } = useTenantOperations();
  if (open === 'document') return <TenantDocument tenant={tenant} onClose={close} />;
  if (open === 'remove') {
    return (
      <ConfirmDialog
        title={`Delete ${tenant.id}?`}
        confirm="Delete tenant"
        word={tenant.id}
        onClose={close}
        onConfirm={async () => {
          await remove(tenant.id);
          tell('Tenant deleted');
          void navigate('/tenants');
        }}
      >
        Its services, keys and published routes end with it. This cannot be undone.
      </ConfirmDialog>
    );
  }
  if (!isWhole(tenant)) return null;
  if (open === 'edit') return <EditTenant tenant={tenant} onClose={close} />;
  if (open === 'maintenance') return <MaintenanceDialog tenant={tenant} onClose={close} />;
  if (open !== 'suspend') return null;
  return (
    <ConfirmDialog
      title={tenant.suspended ? `Resume ${tenant.id}?` : `Suspend ${tenant.id}?`}
      confirm={tenant.suspended ? 'Resume' : 'Suspend'}
      onClose={close}
      onConfirm={async () => {
        await (tenant.suspended ? resume(tenant.id) : suspend(tenant.id));
        tell(tenant.suspended ? 'Tenant resumed' : 'Tenant suspended');
      }}
    >
      {tenant.suspended
        ? 'Its requests are served again.'
        : 'Everything is kept, and every request is refused with 403 until it is resumed.'}
    </ConfirmDialog>
  );
}
