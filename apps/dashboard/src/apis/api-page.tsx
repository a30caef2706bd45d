import { Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { useMay } from '../session/may';
import { useGatewayUrl, useLinkTo } from '../session/scope';
import { TenantGate } from '../session/tenant-gate';
import { Button, buttonClass } from '../ui/button';
import { Copyable } from '../ui/copy';
import { moment } from '../ui/format';
import { ErrorState, LoadingRows } from '../ui/states';
import { Card, Columns, Fact, Facts, Page, Toolbar } from '../ui/surface';
import { HealthCard } from './health-card';
import { PoliciesCard } from './policies-card';
import { useService } from './queries';
import { RemoveService } from './remove-service';
import { ServiceForm } from './service-form';
import { TestCard } from './test-card';

export function ApiPage() {
  const { serviceId = '' } = useParams();
  return (
    <TenantGate>{(tenantId) => <Api key={`${tenantId} ${serviceId}`} serviceId={serviceId} />}</TenantGate>
  );
}

/** One service: its addresses, how its targets are, and a call to try it. */
function Api({ serviceId }: { serviceId: string }) {
  const may = useMay();
  const linkTo = useLinkTo();
  const navigate = useNavigate();
  const gatewayUrl = useGatewayUrl();
  const { data: service, error, refetch } = useService(serviceId);
  const [open, setOpen] = useState<'edit' | 'remove'>();
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!service) return <LoadingRows />;
  return (
    <Page
      title={service.name}
      lead={<Link to={linkTo('/apis')}>All APIs</Link>}
      actions={
        <>
          <Button
            needs="PortalServices.change"
            icon={<Pencil size={14} aria-hidden />}
            onClick={() => setOpen('edit')}
          >
            Edit
          </Button>
          <Button
            needs="PortalServices.remove"
            icon={<Trash2 size={14} aria-hidden />}
            onClick={() => setOpen('remove')}
          >
            Delete
          </Button>
        </>
      }
    >
      <Columns>
        <Card title="Addresses">
          <Facts>
            <Fact term="Gateway URL">
              <Copyable text={`${gatewayUrl}${service.gateway_url}`} label="Copy gateway URL" />
            </Fact>
            <Fact term="Leads to">
              <ul>
                {service.targets.map(({ url, weight }) => (
                  <li key={url} className="mono break">
                    {url} {weight !== undefined && <span className="faint">weight {weight}</span>}
                  </li>
                ))}
              </ul>
            </Fact>
            <Fact term="Id">{String(service.id)}</Fact>
            <Fact term="Created">{moment(service.created_at)}</Fact>
          </Facts>
        </Card>
        <Card title="More of this API">
          <Toolbar>
            <Link className={buttonClass()} to={linkTo(`/keys?service=${serviceId}`)}>
              Keys that open it
            </Link>
            <Link className={buttonClass()} to={linkTo(`/usage?service=${serviceId}`)}>
              Its usage
            </Link>
          </Toolbar>
        </Card>
      </Columns>
      {may('ServiceTest.testMine') && <TestCard service={service} />}
      {may('ServiceHealth.show') && <HealthCard serviceId={serviceId} />}
      {may('Services.show') && <PoliciesCard serviceId={serviceId} />}
      {open === 'edit' && <ServiceForm editing={service} onClose={() => setOpen(undefined)} />}
      {open === 'remove' && (
        <RemoveService
          of={service}
          onRemoved={() => void navigate(linkTo('/apis'))}
          onClose={() => setOpen(undefined)}
        />
      )}
    </Page>
  );
}
