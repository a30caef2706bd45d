import type { Plan, PlanInput } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { CheckField, FieldRow, SelectField, TextArea, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { numberOf, textOf, useForm } from '../ui/use-form';
import { useBillingOperations } from './queries';

const MODELS = [
  ['per_request', 'Per request'],
  ['flat', 'Flat'],
  ['included', 'With included requests'],
  ['tiered', 'Tiered'],
] as const;

export function PlanForm({ editing, onClose }: { editing?: Plan; onClose: () => void }) {
  const { createPlan, replacePlan } = useBillingOperations();
  const { values, set, field, form } = useForm({
    initial: valuesOf(editing),
    send: (typed) => (editing ? replacePlan(bodyOf(typed)) : createPlan(bodyOf(typed))),
    onDone: () => {
      tell(
        editing ? 'Plan changed' : 'Plan created',
        editing && 'Tenants have it after it is assigned again.',
      );
      onClose();
    },
  });
  return (
    <FormDialog
      {...form}
      title={editing ? `Edit ${editing.name}` : 'Create a plan'}
      submit={editing ? 'Save' : 'Create plan'}
      onClose={onClose}
    >
      <FieldRow>
        <TextField label="Name" required autoFocus {...field('name')} />
        {!editing && <TextField label="Id" required placeholder="starter" {...field('id')} />}
      </FieldRow>
      <FieldRow>
        <SelectField label="Model" {...field('model')} options={MODELS} />
        <TextField label="Currency" required maxLength={3} {...field('currency')} />
      </FieldRow>
      <Prices model={values.model} field={field} />
      <CheckField
        label="Responses from the cache are billed"
        checked={values.billsCacheHits}
        onChange={set('billsCacheHits')}
      />
    </FormDialog>
  );
}

type PlanValues = ReturnType<typeof valuesOf>;

/** Each model has its own. */
function Prices({
  model,
  field,
}: {
  model: Plan['model'];
  field: ReturnType<typeof useForm<PlanValues>>['field'];
}) {
  const fee = <TextField label="Fee per cycle" required inputMode="decimal" {...field('fee')} />;
  switch (model) {
    case 'flat':
      return fee;
    case 'per_request':
      return (
        <TextField
          label="Price per request"
          inputMode="decimal"
          placeholder="What each key costs"
          {...field('price')}
        />
      );
    case 'included':
      return (
        <>
          {fee}
          <FieldRow>
            <TextField
              label="Included requests"
              required
              inputMode="numeric"
              {...field('included', 'includedRequests')}
            />
            <TextField
              label="Price of each more"
              required
              inputMode="decimal"
              {...field('overage', 'overagePrice')}
            />
          </FieldRow>
        </>
      );
    case 'tiered':
      return (
        <TextArea
          label="Tiers"
          required
          rows={4}
          placeholder={'1000 0.002\n10000 0.001\n* 0.0005'}
          hint="One a line: up to how many requests, and the price of each. The last begins with *."
          {...field('tiers')}
        />
      );
  }
}

function valuesOf(plan: Plan | undefined) {
  const model: Plan['model'] = plan?.model ?? 'per_request';
  return {
    id: textOf(plan?.id),
    name: textOf(plan?.name),
    currency: plan?.currency ?? 'USD',
    model,
    fee: textOf(plan?.fee),
    price: textOf(plan?.price),
    included: textOf(plan?.includedRequests),
    overage: textOf(plan?.overagePrice),
    tiers: (plan?.tiers ?? []).map(({ upTo, price }) => `${upTo ?? '*'} ${price}`).join('\n'),
    billsCacheHits: plan?.billsCacheHits ?? false,
  };
}

/** Each model has fields of its own; others would be refused. */
function bodyOf(values: PlanValues): PlanInput {
  const { id, name, currency, model, fee, price, included, overage, tiers, billsCacheHits } = values;
  const head = { id, name, currency, model, ...(billsCacheHits && { billsCacheHits }) };
  switch (model) {
    case 'flat':
      return { ...head, fee };
    case 'per_request':
      return { ...head, ...(price.trim() !== '' && { price }) };
    case 'included':
      return { ...head, fee, includedRequests: numberOf(included), overagePrice: overage };
    case 'tiered':
      return { ...head, tiers: tiersOf(tiers) };
  }
}

function tiersOf(text: string): NonNullable<PlanInput['tiers']> {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [upTo = '', price = ''] = line.trim().split(/\s+/);
      return { upTo: upTo === '*' ? null : (numberOf(upTo) ?? null), price };
    });
}
