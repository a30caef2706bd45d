import { useQuery } from '@tanstack/react-query';
import { CircleCheck, Wrench } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { api, data } from '../api/client';
import { ProblemError } from '../api/problem';
import type { Maintenance } from '../api/types';
import { useDone } from '../api/use-done';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/dialog';
import { moment } from '../ui/format';
import { EmptyState, ErrorState, LoadingRows } from '../ui/states';
import { Badge, Card, Fact, Facts, Page, Toolbar } from '../ui/surface';
import { tell } from '../ui/toast';
import { StartMaintenance } from './start-maintenance';

const KEY = 'maintenance';

/** Takes the whole gateway out of service, and back. */
export function MaintenancePage() {
  const done = useDone(KEY);
  const { data: maintenance, isPending, error, refetch } = useMaintenance();
  const [open, setOpen] = useState<'start' | 'end'>();
  const close = () => setOpen(undefined);
  return (
    <Page title="Maintenance" lead="Of the whole gateway. That of one tenant is on the tenant’s own page.">
      <Card
        title="Gateway"
        bare={!maintenance}
        actions={maintenance !== undefined && <State of={maintenance} />}
      >
        {error ? (
          <ErrorState error={error} retry={() => void refetch()} />
        ) : isPending ? (
          <LoadingRows rows={3} />
        ) : maintenance ? (
          <MaintenanceFacts
            of={maintenance}
            end={
              <Button needs="Maintenance.stop" onClick={() => setOpen('end')}>
                End maintenance
              </Button>
            }
          />
        ) : (
          <EmptyState
            icon={<CircleCheck size={18} aria-hidden />}
            title="Requests are served"
            action={
              <Button
                needs="Maintenance.start"
                icon={<Wrench size={14} aria-hidden />}
                onClick={() => setOpen('start')}
              >
                Start maintenance
              </Button>
            }
          >
            During a maintenance every request to the data plane is refused with 503 and Retry-After, except
            from addresses that you name. This dashboard and the API behind it go on.
          </EmptyState>
        )}
      </Card>
      {open === 'start' && (
        <StartMaintenance
          title="Start maintenance of the gateway"
          description="Requests of all tenants are refused with 503 and Retry-After."
          start={(body) => done(data(api.PUT('/admin/maintenance', { body })))}
          onClose={close}
        />
      )}
      {open === 'end' && (
        <ConfirmDialog
          title="End the maintenance of the gateway?"
          confirm="End maintenance"
          onClose={close}
          onConfirm={async () => {
            await done(api.DELETE('/admin/maintenance'));
            tell('Maintenance ended');
          }}
        >
          Requests of all tenants are served again.
        </ConfirmDialog>
      )}
    </Page>
  );
}

/** null: there is none. */
function useMaintenance() {
  return useQuery({
    queryKey: [KEY],
    queryFn: async (): Promise<Maintenance | null> => {
      try {
        return await data(api.GET('/admin/maintenance'));
      } catch (reason) {
        if (reason instanceof ProblemError && reason.code === 'maintenance_not_found') return null;
        throw reason;
      }
    },
  });
}

function State({ of: maintenance }: { of: Maintenance | null }) {
  if (maintenance === null) return <Badge tone="good">In service</Badge>;
  return isOver(maintenance) ? <Badge>Over</Badge> : <Badge tone="warn">Maintenance</Badge>;
}

const isOver = ({ until }: Maintenance): boolean => until !== undefined && Date.parse(until) <= Date.now();

function MaintenanceFacts({ of, end }: { of: Maintenance; end: ReactNode }) {
  const { message, until, retryAfterSeconds = 60, allowedIps = [], bypassSha256 } = of;
  return (
    <>
      <Facts>
        <Fact term="Requests">
          {isOver(of) ? 'Served again since it is over' : 'Refused with 503 Service Unavailable'}
        </Fact>
        <Fact term="Said to clients">{message ?? <span className="faint">Nothing of yours</span>}</Fact>
        <Fact term="Over at">{until ? moment(until) : 'When it is ended here'}</Fact>
        {!until && <Fact term="Retry-After">{retryAfterSeconds} s</Fact>}
        <Fact term="Served all the same">
          {allowedIps.length > 0 ? (
            <span className="mono">{allowedIps.join(', ')}</span>
          ) : (
            <span className="faint">Nobody</span>
          )}
          {bypassSha256 && ' and whoever sends the bypass header'}
        </Fact>
      </Facts>
      <Toolbar below>{end}</Toolbar>
    </>
  );
}
