import type { SettingValues } from './settings';

type Values = Pick<
  SettingValues,
  'GATEWAY_JWT_SECRET' | 'GATEWAY_JWT_PREVIOUS_SECRETS' | 'JWT_SECRET_KEY' | 'ADMIN_TOKEN'
>;

const MIN_BYTES = 32;
/** Random secrets have more; `aaaa…` and `12341234…` have not. */
const MIN_DIFFERENT_CHARACTERS = 8;
/** Words of values that documentation shows and people copy, such as `your_secret_key`. */
const SAMPLE =
  /your[-_ ]|change[-_ ]?me|change[-_ ]this|example|placeholder|replace[-_ ]|super[-_ ]?secret|secret[-_ ]?key/i;

/** Refuses secrets that could be guessed, and one that stands for two issuers: a token would be of either. */
export function checkTokenSecrets(values: Values, production: boolean, problems: string[]): void {
  const {
    GATEWAY_JWT_SECRET: current,
    GATEWAY_JWT_PREVIOUS_SECRETS: previous,
    JWT_SECRET_KEY: shared,
  } = values;
  const named: Array<[string, readonly string[]]> = [
    ['GATEWAY_JWT_SECRET', current === undefined ? [] : [current]],
    ['GATEWAY_JWT_PREVIOUS_SECRETS', previous ?? []],
    ['JWT_SECRET_KEY', shared === undefined ? [] : [shared]],
  ];
  if (shared !== undefined && (shared === current || previous?.includes(shared)))
    problems.push('JWT_SECRET_KEY must not be a secret of the gateway’s own tokens too');
  if (!production) return;
  for (const [name, secrets] of named) {
    const objection = secrets.map(objectionToSecret).find((found) => found !== undefined);
    if (objection !== undefined) problems.push(`${name} ${objection}`);
    // Whoever may use the control plane could sign tokens past its audit log, and the other way round.
    else if (values.ADMIN_TOKEN !== undefined && secrets.includes(values.ADMIN_TOKEN))
      problems.push(`${name} must not be the ADMIN_TOKEN`);
  }
}

/** Why a secret could be guessed, or undefined. */
export function objectionToSecret(secret: string): string | undefined {
  if (SAMPLE.test(secret)) return 'is a sample value: choose a secret one';
  if (Buffer.byteLength(secret) < MIN_BYTES) return `must have at least ${MIN_BYTES} bytes`;
  if (new Set(secret).size < MIN_DIFFERENT_CHARACTERS) return 'repeats itself: choose a random one';
  return undefined;
}
