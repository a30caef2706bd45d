import { useMutation } from '@tanstack/react-query';
import { fieldError } from '../api/problem';
import type { Terms } from '../api/types';
import { Button } from '../ui/button';
import { FieldRow, SelectField, TextField } from '../ui/field';
import { ErrorNotice, ErrorState, LoadingRows } from '../ui/states';
import { Card } from '../ui/surface';
import { tell } from '../ui/toast';
import { useForm } from '../ui/use-form';
import styles from './billing.module.css';
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
  const { values, set } = useForm({
    planId: terms.planId ?? '',
    pricePerRequest: terms.pricePerRequest,
    spendCap: terms.spendCap ?? '',
    currency: terms.currency,
  });
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => setTerms(terms.tenantId, changesOf(terms, values)),
    onSuccess: () => tell('Terms changed'),
  });
  const ids = new Set([...plans.rows.map(({ id }) => id), ...(terms.planId ? [terms.planId] : [])]);
  return (
    <Card title={`Terms of ${terms.tenantId}`}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          mutate();
        }}
      >
        <FieldRow>
          <SelectField
            label="Plan"
            value={values.planId}
            onChange={set('planId')}
            options={[['', 'None: every request at its price'], ...[...ids].map((id) => [id, id] as const)]}
            hint={terms.planVersion ? `In force as ${terms.planVersion}` : undefined}
            error={fieldError(error, 'planId')}
          />
          <TextField
            label="Currency"
            required
            maxLength={3}
            value={values.currency}
            onChange={set('currency')}
            hint="Cannot change while the open cycle has requests."
            error={fieldError(error, 'currency')}
          />
        </FieldRow>
        <FieldRow>
          <TextField
            label="Price per request"
            required
            inputMode="decimal"
            value={values.pricePerRequest}
            onChange={set('pricePerRequest')}
            hint="Of keys that have no price of their own. Past requests keep theirs."
            error={fieldError(error, 'pricePerRequest')}
          />
          <TextField
            label="Spend cap"
            inputMode="decimal"
            placeholder="None"
            value={values.spendCap}
            onChange={set('spendCap')}
            hint="Of one cycle; what would go beyond it is refused."
            error={fieldError(error, 'spendCap')}
          />
        </FieldRow>
        {error ? <ErrorNotice error={error} /> : null}
        <div>
          <Button type="submit" variant="primary" busy={isPending}>
            Save terms
          </Button>
        </div>
      </form>
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
