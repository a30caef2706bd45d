import type { SettingValues } from './settings';

const NAMES = ['ADMIN_TOKEN', 'METRICS_TOKEN'] as const;
const MIN_LENGTH = 16;

/** Values that documentation shows and people copy. */
const SAMPLE_TOKENS = [
  'your-secure-admin-token-here',
  'your-admin-token',
  'changeme',
  'change-me',
  'secret',
  'admin',
];

/** Refuses tokens of the control plane that fit no header, could be guessed, or open more than they are for. */
export function checkControlTokens(
  values: Pick<SettingValues, (typeof NAMES)[number]>,
  production: boolean,
  problems: string[],
): void {
  for (const name of NAMES) {
    const token = values[name];
    const objection = token === undefined ? undefined : objectionTo(token, production);
    if (objection !== undefined) problems.push(`${name} ${objection}`);
  }
  if (values.METRICS_TOKEN !== undefined && values.METRICS_TOKEN === values.ADMIN_TOKEN)
    problems.push('METRICS_TOKEN must not be the ADMIN_TOKEN: it would open everything');
}

function objectionTo(token: string, production: boolean): string | undefined {
  if (/[^\x21-\x7e]/.test(token)) return 'must be printable ASCII without spaces';
  if (!production) return undefined;
  if (SAMPLE_TOKENS.includes(token.toLowerCase())) return 'is a sample value: choose a secret one';
  if (token.length < MIN_LENGTH) return `must have at least ${MIN_LENGTH} characters in production`;
  return undefined;
}
