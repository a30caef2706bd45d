import { Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { useGatewayUrl, useLinkTo, useScope } from '../session/scope';
import { manages, useSession } from '../session/session';
import { TenantGate } from '../session/tenant-gate';
import { Button, buttonClass } from '../ui/button';
import { Copyable } from '../ui/copy';
import { moment } from '../ui/format';
import { ErrorState, LoadingRows } from '../ui/states';
import { Card, Columns, Fact, Facts, Page } from '../ui/surface';
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
  const { session } = useSession();
  const { admin } = useScope();
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
        manages(session) && (
          <>
            <Button icon={<Pencil size={14} aria-hidden />} onClick={() => setOpen('edit')}>
              Edit
            </Button>
            <Button icon={<Trash2 size={14} aria-hidden />} onClick={() => setOpen('remove')}>
              Delete
            </Button>
          </>
        )
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
          <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8 }}>
            <Link className={buttonClass()} to={linkTo(`/keys?service=${serviceId}`)}>
              Keys that open it
            </Link>
            <Link className={buttonClass()} to={linkTo(`/usage?service=${serviceId}`)}>
              Its usage
            </Link>
          </div>
        </Card>
      </Columns>
      {manages(session) && <TestCard service={service} />}
      {admin && <HealthCard serviceId={serviceId} />}
      {admin && <PoliciesCard serviceId={serviceId} />}
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
