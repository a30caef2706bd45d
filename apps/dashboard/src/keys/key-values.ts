import type { ApiKey, NewKey } from '../api/types';
import { decimal } from '../ui/format';
import { listOf, numberOf, orNull, textOf } from '../ui/use-form';

/** The form as it is typed. */
export interface KeyValues {
  name: string;
  serviceId: string;
  mode: 'live' | 'test';
  limit: string;
  windowSeconds: string;
  quota: string;
  price: string;
  expiresAt: string;
  routes: string;
  methods: string;
  ips: string;
  labels: string;
}

export const EMPTY_KEY: KeyValues = {
  name: '',
  serviceId: '',
  mode: 'live',
  limit: '',
  windowSeconds: '',
  quota: '',
  price: '',
  expiresAt: '',
  routes: '',
  methods: '',
  ips: '',
  labels: '',
};

export function valuesOf(key: ApiKey): KeyValues {
  return {
    ...EMPTY_KEY,
    name: key.name,
    limit: textOf(key.rate_limit_requests),
    windowSeconds: textOf(key.rate_limit_window_seconds),
    quota: textOf(key.monthly_quota),
    price: decimal(key.price_per_request),
    expiresAt: key.expires_at ? localTime(key.expires_at) : '',
    routes: (key.allowed_routes ?? []).join(', '),
    methods: (key.allowed_methods ?? []).join(', '),
    ips: (key.allowed_ips ?? []).join(', '),
    labels: Object.entries(key.labels ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
  };
}

/** What is empty is left to the gateway's defaults. */
export function keyBody(values: KeyValues): NewKey {
  const { name, serviceId, mode } = values;
  const terms = Object.entries(termsOf(values)).filter(([, value]) => value !== null);
  return { name, mode, ...(serviceId && { service_id: serviceId }), ...Object.fromEntries(terms) };
}

/** What is empty is taken away: null is how the gateway is told so. A price that is the tenant's stays the tenant's. */
export function keyPatch(values: KeyValues, before: ApiKey): Record<string, unknown> {
  const { price_per_request: price, ...terms } = termsOf(values);
  const stays = values.price === decimal(before.price_per_request);
  return { name: values.name, ...terms, ...(!stays && { price_per_request: price }) };
}

function termsOf(values: KeyValues) {
  const limit = numberOf(values.limit);
  return {
    rate_limit_requests: limit ?? null,
    rate_limit_window_seconds: limit === undefined ? null : (numberOf(values.windowSeconds) ?? 60),
    monthly_quota: numberOf(values.quota) ?? null,
    // As text: an amount is exact, and a float is not.
    price_per_request: values.price.trim() === '' ? null : values.price.trim(),
    expires_at: values.expiresAt === '' ? null : new Date(values.expiresAt).toISOString(),
    allowed_routes: orNull(listOf(values.routes)),
    allowed_methods: orNull(listOf(values.methods).map((method) => method.toUpperCase())),
    allowed_ips: orNull(listOf(values.ips)),
    labels: labelsOf(values.labels),
  };
}

function labelsOf(typed: string): Record<string, string> | null {
  const pairs = listOf(typed).map((line) => {
    const [name = '', ...rest] = line.split('=');
    return [name.trim(), rest.join('=').trim()] as const;
  });
  return pairs.length > 0 ? Object.fromEntries(pairs) : null;
}

/** As `datetime-local` wants it: the browser's own time, without a zone. */
function localTime(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
