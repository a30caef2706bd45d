import { useMutation } from '@tanstack/react-query';
import { fieldError } from '../api/problem';
import type { Plan, PlanInput } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { CheckField, FieldRow, SelectField, TextArea, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { numberOf, useForm } from '../ui/use-form';
import { useBillingOperations } from './queries';

const MODELS = [
  ['per_request', 'Per request'],
  ['flat', 'Flat'],
  ['included', 'With included requests'],
  ['tiered', 'Tiered'],
] as const;

export function PlanForm({ editing, onClose }: { editing?: Plan; onClose: () => void }) {
  const { createPlan, replacePlan } = useBillingOperations();
  const { values, set } = useForm(valuesOf(editing));
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => (editing ? replacePlan(bodyOf(values)) : createPlan(bodyOf(values))),
    onSuccess: () => {
      tell(
        editing ? 'Plan changed' : 'Plan created',
        editing && 'Tenants have it after it is assigned again.',
      );
      onClose();
    },
  });
  const { model } = values;
  return (
    <FormDialog
      title={editing ? `Edit ${editing.name}` : 'Create a plan'}
      submit={editing ? 'Save' : 'Create plan'}
      busy={isPending}
      error={error}
      onSubmit={() => mutate()}
      onClose={onClose}
    >
      <FieldRow>
        <TextField
          label="Name"
          required
          autoFocus
          value={values.name}
          onChange={set('name')}
          error={fieldError(error, 'name')}
        />
        {!editing && (
          <TextField
            label="Id"
            required
            placeholder="starter"
            value={values.id}
            onChange={set('id')}
            error={fieldError(error, 'id')}
          />
        )}
      </FieldRow>
      <FieldRow>
        <SelectField
          label="Model"
          value={model}
          onChange={(next) => set('model')(next as Plan['model'])}
          options={MODELS}
        />
        <TextField
          label="Currency"
          required
          maxLength={3}
          value={values.currency}
          onChange={set('currency')}
          error={fieldError(error, 'currency')}
        />
      </FieldRow>
      {(model === 'flat' || model === 'included') && (
        <TextField
          label="Fee per cycle"
          required
          inputMode="decimal"
          value={values.fee}
          onChange={set('fee')}
          error={fieldError(error, 'fee')}
        />
      )}
      {model === 'per_request' && (
        <TextField
          label="Price per request"
          inputMode="decimal"
          placeholder="What each key costs"
          value={values.price}
          onChange={set('price')}
          error={fieldError(error, 'price')}
        />
      )}
      {model === 'included' && (
        <FieldRow>
          <TextField
            label="Included requests"
            required
            inputMode="numeric"
            value={values.included}
            onChange={set('included')}
            error={fieldError(error, 'includedRequests')}
          />
          <TextField
            label="Price of each more"
            required
            inputMode="decimal"
            value={values.overage}
            onChange={set('overage')}
            error={fieldError(error, 'overagePrice')}
          />
        </FieldRow>
      )}
      {model === 'tiered' && (
        <TextArea
          label="Tiers"
          required
          rows={4}
          placeholder={'1000 0.002\n10000 0.001\n* 0.0005'}
          hint="One a line: up to how many requests, and the price of each. The last begins with *."
          value={values.tiers}
          onChange={set('tiers')}
          error={fieldError(error, 'tiers')}
        />
      )}
      <CheckField
        label="Responses from the cache are billed"
        checked={values.billsCacheHits}
        onChange={set('billsCacheHits')}
      />
    </FormDialog>
  );
}

function valuesOf(plan: Plan | undefined) {
  const model: Plan['model'] = plan?.model ?? 'per_request';
  return {
    id: plan?.id ?? '',
    name: plan?.name ?? '',
    currency: plan?.currency ?? 'USD',
    model,
    fee: plan?.fee ?? '',
    price: plan?.price ?? '',
    included: plan?.includedRequests === undefined ? '' : String(plan.includedRequests),
    overage: plan?.overagePrice ?? '',
    tiers: (plan?.tiers ?? []).map(({ upTo, price }) => `${upTo ?? '*'} ${price}`).join('\n'),
    billsCacheHits: plan?.billsCacheHits ?? false,
  };
}

/** Each model has fields of its own; others would be refused. */
function bodyOf(values: ReturnType<typeof valuesOf>): PlanInput {
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
