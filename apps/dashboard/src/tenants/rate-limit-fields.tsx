import { fieldError } from '../api/problem';
import { FieldRow, TextField } from '../ui/field';
import { numberOf } from '../ui/use-form';

/** What is typed as the limit of a tenant. */
export interface RateLimitValues {
  limit: string;
  windowSeconds: string;
}

const DEFAULT_WINDOW_SECONDS = 60;

/** Undefined where no limit is typed. */
export function rateLimitOf({ limit, windowSeconds }: RateLimitValues) {
  const maxRequests = numberOf(limit);
  if (maxRequests === undefined) return undefined;
  return { maxRequests, windowSeconds: numberOf(windowSeconds) ?? DEFAULT_WINDOW_SECONDS };
}

export function RateLimitFields({
  values,
  set,
  error,
}: {
  values: RateLimitValues;
  set: (name: keyof RateLimitValues) => (value: string) => void;
  error: unknown;
}) {
  return (
    <FieldRow>
      <TextField
        label="Requests"
        inputMode="numeric"
        placeholder="100"
        value={values.limit}
        onChange={set('limit')}
        error={fieldError(error, 'rateLimit')}
      />
      <TextField
        label="In seconds"
        inputMode="numeric"
        placeholder={String(DEFAULT_WINDOW_SECONDS)}
        value={values.windowSeconds}
        onChange={set('windowSeconds')}
      />
    </FieldRow>
  );
}
