import type { Terms } from '../api/types';
import { CardForm } from '../ui/card-form';
import { FieldRow, SelectField, TextField } from '../ui/field';
import { ErrorState, LoadingRows } from '../ui/states';
import { Card } from '../ui/surface';
import { tell } from '../ui/toast';
import { useForm } from '../ui/use-form';
import { useBillingOperations, usePlans, useTerms } from './queries';

export function TermsTab({ tenantId }: { tenantId: string }) {
  const { data: terms, error, refetch } = useTerms(tenantId);
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!terms) return <LoadingRows />;
  return <TermsForm key={JSON.stringify(terms)} terms={terms} />;
}

function TermsForm({ terms }: { terms: Terms }) {
  const plans = usePlans();
  const { setTerms } = useBillingOperations();
  const { field, form } = useForm({
    initial: {
      planId: terms.planId ?? '',
      pricePerRequest: terms.pricePerRequest,
      spendCap: terms.spendCap ?? '',
      currency: terms.currency,
    },
    send: (values) => setTerms(terms.tenantId, changesOf(terms, values)),
    onDone: () => tell('Terms changed'),
  });
  const ids = new Set([...plans.rows.map(({ id }) => id), ...(terms.planId ? [terms.planId] : [])]);
  return (
    <Card title={`Terms of ${terms.tenantId}`}>
      <CardForm {...form} submit="Save terms" needs="TenantBilling.change">
        <FieldRow>
          <SelectField
            label="Plan"
            {...field('planId')}
            options={[['', 'None: every request at its price'], ...[...ids].map((id) => [id, id] as const)]}
            hint={terms.planVersion ? `In force as ${terms.planVersion}` : undefined}
          />
          <TextField
            label="Currency"
            required
            maxLength={3}
            hint="Cannot change while the open cycle has requests."
            {...field('currency')}
          />
        </FieldRow>
        <FieldRow>
          <TextField
            label="Price per request"
            required
            inputMode="decimal"
            hint="Of keys that have no price of their own. Past requests keep theirs."
            {...field('pricePerRequest')}
          />
          <TextField
            label="Spend cap"
            inputMode="decimal"
            placeholder="None"
            hint="Of one cycle; what would go beyond it is refused."
            {...field('spendCap')}
          />
        </FieldRow>
      </CardForm>
    </Card>
  );
}

interface TermsValues {
  planId: string;
  pricePerRequest: string;
  spendCap: string;
  currency: string;
}

/** Only what was changed: a plan that is assigned again brings its newest terms along. */
function changesOf(terms: Terms, values: TermsValues) {
  const { planId, pricePerRequest, spendCap, currency } = values;
  return {
    ...(planId !== (terms.planId ?? '') && { planId: planId || null }),
    ...(pricePerRequest !== terms.pricePerRequest && { pricePerRequest }),
    ...(spendCap !== (terms.spendCap ?? '') && { spendCap: spendCap.trim() || null }),
    ...(currency !== terms.currency && { currency }),
  } as { planId?: string | null; pricePerRequest?: string; spendCap?: string; currency?: string };
}
