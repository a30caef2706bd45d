import { CreditCard } from 'lucide-react';
import { useState } from 'react';
import type { BillingSummary } from '../api/types';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/dialog';
import { day, money, placesOf, whole } from '../ui/format';
import { ListCard } from '../ui/list-card';
import { EmptyState, ErrorState, LoadingRows } from '../ui/states';
import { Badge, Card, Meter, Stat, Stats, Toolbar } from '../ui/surface';
import { tell } from '../ui/toast';
import { useBillingOperations, useKeyCosts, useSummary } from './queries';
import { Reconciliation } from './reconciliation';

/** The open cycle as it would be billed now, and which key it comes from. */
export function CostsTab() {
  const { data: summary, error, refetch } = useSummary();
  const costs = useKeyCosts();
  const { close } = useBillingOperations();
  const [closing, setClosing] = useState(false);
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!summary) return <LoadingRows />;
  const { currency } = summary;
  const places = {
    price: placesOf(costs.rows.map(({ price_per_request }) => price_per_request)),
    cost: placesOf(costs.rows.map(({ total_cost_exact }) => total_cost_exact)),
    lifetime: placesOf(costs.rows.map(({ lifetime_cost }) => lifetime_cost)),
  };
  return (
    <>
      <Toolbar apart>
        <span className="soft">
          Cycle {summary.cycle}, open since {opened(summary)}
        </span>
        <Button small needs="Billing.reset" onClick={() => setClosing(true)}>
          Close cycle
        </Button>
      </Toolbar>
      <Stats>
        <Stat label="Total so far">{money(summary.total_cost_exact, currency)}</Stat>
        <Stat label="Billed requests">{whole(summary.total_requests)}</Stat>
        <Stat label="Fees">{money(summary.fees, currency)}</Stat>
        <Stat label="Plan" note={summary.plan?.model.replaceAll('_', ' ')}>
          {summary.plan?.name ?? 'None'}
        </Stat>
        <Stat label="Price per request" note="unless a key has its own">
          {money(summary.price_per_request, currency)}
        </Stat>
      </Stats>
      <SpendCap summary={summary} />
      <ListCard
        title="Costs by key"
        label="Costs by key"
        list={costs}
        rowKey={({ key_id }) => key_id}
        empty={
          <EmptyState icon={<CreditCard size={18} aria-hidden />} title="No keys yet">
            What each key costs is shown here.
          </EmptyState>
        }
        columns={[
          {
            id: 'key',
            header: 'Key',
            width: 'minmax(0, 2fr)',
            cell: ({ name, prefix, key_id, active }) => (
              <div>
                <div>
                  {name ?? 'A key that is gone'} {!active && <Badge>Not in force</Badge>}
                </div>
                <div className="mono faint">{prefix ? `${prefix}…` : key_id}</div>
              </div>
            ),
          },
          {
            id: 'price',
            header: 'Price',
            align: 'end',
            cell: ({ price_per_request }) => money(price_per_request, currency, places.price),
          },
          {
            id: 'requests',
            header: 'Requests',
            align: 'end',
            cell: ({ total_requests }) => whole(total_requests),
          },
          {
            id: 'cost',
            header: 'Cost',
            align: 'end',
            cell: ({ total_cost_exact }) => <strong>{money(total_cost_exact, currency, places.cost)}</strong>,
          },
          {
            id: 'lifetime',
            header: 'All time',
            align: 'end',
            cell: ({ lifetime_cost }) => (
              <span className="soft">{money(lifetime_cost, currency, places.lifetime)}</span>
            ),
          },
        ]}
      />
      <Reconciliation />
      {closing && (
        <ConfirmDialog
          title={`Close cycle ${summary.cycle}?`}
          confirm="Close cycle"
          onClose={() => setClosing(false)}
          onConfirm={async () => {
            const statement = await close();
            tell('Cycle closed', `Statement of ${money(statement.total, statement.currency)}`);
          }}
        >
          It becomes a statement of {money(summary.total_cost_exact, currency)} that never changes, and the
          next cycle opens at nothing. This cannot be undone.
        </ConfirmDialog>
      )}
    </>
  );
}

function opened({ opened_at }: BillingSummary): string {
  return opened_at.startsWith('1970') ? 'the beginning' : day(opened_at);
}

function SpendCap({ summary: { spend_cap, total_cost, currency } }: { summary: BillingSummary }) {
  if (spend_cap === null) return null;
  const share = spend_cap === 0 ? 1 : total_cost / spend_cap;
  return (
    <Card>
      <Toolbar>
        <h2>Spend cap</h2>
        <span className="soft numeric">
          {money(total_cost, currency)} of {money(spend_cap, currency)}
        </span>
        {share >= 1 && <Badge tone="bad">Reached</Badge>}
        {share >= 0.8 && share < 1 && <Badge tone="warn">Nearly reached</Badge>}
      </Toolbar>
      <div style={{ marginTop: 10 }}>
        <Meter share={share} label="Share of the spend cap that is used" />
      </div>
    </Card>
  );
}
