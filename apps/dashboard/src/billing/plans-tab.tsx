import { Layers, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { Plan } from '../api/types';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/dialog';
import { money, whole } from '../ui/format';
import { ListCard } from '../ui/list-card';
import { RowMenu } from '../ui/menu';
import { EmptyState } from '../ui/states';
import { ACTIONS } from '../ui/table';
import { tell } from '../ui/toast';
import { PlanForm } from './plan-form';
import { useBillingOperations, usePlans } from './queries';

export const MODELS: Record<Plan['model'], string> = {
  flat: 'Flat',
  per_request: 'Per request',
  tiered: 'Tiered',
  included: 'With included requests',
};

/** Plans of the whole gateway; tenants get them by their terms. */
export function PlansTab() {
  const list = usePlans();
  const { removePlan } = useBillingOperations();
  const [editing, setEditing] = useState<Plan | 'new'>();
  const [removing, setRemoving] = useState<Plan>();
  const create = (
    <Button
      small
      needs="Plans.create"
      icon={<Plus size={14} aria-hidden />}
      onClick={() => setEditing('new')}
    >
      Create plan
    </Button>
  );
  return (
    <>
      <ListCard
        title="Plans"
        actions={create}
        label="Plans"
        list={list}
        rowKey={({ id }) => id}
        empty={
          <EmptyState icon={<Layers size={18} aria-hidden />} title="No plans yet">
            Without a plan every request costs what its key or its tenant says.
          </EmptyState>
        }
        columns={[
          {
            id: 'name',
            header: 'Name',
            width: 'minmax(0, 1.4fr)',
            cell: ({ name, id }) => (
              <div>
                <div>{name}</div>
                <div className="mono faint">{id}</div>
              </div>
            ),
          },
          { id: 'model', header: 'Model', cell: ({ model }) => MODELS[model] },
          { id: 'terms', header: 'Terms', width: 'minmax(0, 2.2fr)', cell: termsOf },
          {
            ...ACTIONS,
            cell: (plan) => (
              <RowMenu
                label={`Actions for ${plan.name}`}
                items={[
                  {
                    text: 'Edit',
                    icon: <Pencil size={15} />,
                    needs: 'Plans.replace',
                    onSelect: () => setEditing(plan),
                  },
                  {
                    text: 'Delete',
                    icon: <Trash2 size={15} />,
                    needs: 'Plans.remove',
                    danger: true,
                    onSelect: () => setRemoving(plan),
                  },
                ]}
              />
            ),
          },
        ]}
      />
      {editing && (
        <PlanForm editing={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} />
      )}
      {removing && (
        <ConfirmDialog
          title={`Delete the plan ${removing.name}?`}
          confirm="Delete plan"
          onClose={() => setRemoving(undefined)}
          onConfirm={async () => {
            await removePlan(removing.id);
            tell('Plan deleted');
          }}
        >
          Tenants that have it keep it as it was assigned; nobody else can get it.
        </ConfirmDialog>
      )}
    </>
  );
}

function termsOf({ model, currency, fee, price, overagePrice, includedRequests, tiers }: Plan): string {
  const amount = (value: string | number | undefined) => money(value ?? '0', currency);
  switch (model) {
    case 'flat':
      return `${amount(fee)} a cycle`;
    case 'per_request':
      return price === undefined ? 'What each key costs' : `${amount(price)} a request`;
    case 'included':
      return `${amount(fee)} a cycle with ${whole(includedRequests ?? 0)} requests, ${amount(overagePrice)} for each more`;
    case 'tiered':
      return (tiers ?? [])
        .map(
          ({ upTo, price: each }) => `${amount(each)} ${upTo === null ? 'beyond' : `up to ${whole(upTo)}`}`,
        )
        .join(', ');
  }
}
