import { FieldRow, TextField } from '../ui/field';
import { numberOf, textOf } from '../ui/use-form';

/** What is typed as a limit. */
export interface RateLimitValues {
  limit: string;
  windowSeconds: string;
}

interface RateLimit {
  maxRequests: number;
  windowSeconds: number;
}

const DEFAULT_WINDOW_SECONDS = 60;

export function limitValuesOf(limit: RateLimit | undefined): RateLimitValues {
  return { limit: textOf(limit?.maxRequests), windowSeconds: textOf(limit?.windowSeconds) };
}

/** Undefined where no limit is typed. */
export function rateLimitOf({ limit, windowSeconds }: RateLimitValues): RateLimit | undefined {
  const maxRequests = numberOf(limit);
  if (maxRequests === undefined) return undefined;
  return { maxRequests, windowSeconds: numberOf(windowSeconds) ?? DEFAULT_WINDOW_SECONDS };
}

interface Typed {
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
}

interface RateLimitFieldsProps {
  field: (name: keyof RateLimitValues, ...names: string[]) => Typed;
  /** What the gateway calls it. */
  names?: readonly string[];
  label?: string;
  placeholder?: string;
}

export function RateLimitFields({
  field,
  names = ['rateLimit'],
  label = 'Requests',
  placeholder = '100',
}: RateLimitFieldsProps) {
  const at = (part: string) => names.map((name) => `${name}.${part}`);
  return (
    <FieldRow>
      <TextField
        label={label}
        inputMode="numeric"
        placeholder={placeholder}
        {...field('limit', ...at('maxRequests'))}
      />
      <TextField
        label="In seconds"
        inputMode="numeric"
        placeholder={String(DEFAULT_WINDOW_SECONDS)}
        {...field('windowSeconds', ...at('windowSeconds'))}
      />
    </FieldRow>
  );
}
