import { isSecretVariable } from './settings';
import { objectionToSecret } from './token-secrets';

type Env = Record<string, string | undefined>;

/** Judged with its profile when the process starts (profiles.ts), where outside of production the documented sample value does. */
const JUDGED_AT_START = 'HMAC_SECRET';

/** What documents may name, by its variable. */
export function namedSecrets(env: Env): ReadonlyMap<string, string> {
  const named = Object.entries(env).filter(([name, value]) => isSecretVariable(name) && value?.trim());
  return new Map(named as Array<[string, string]>);
}

/** Those of them that signatures may be made with: whatever could be guessed is left out, as if it were not there. */
export function signatureSecrets(env: Env): ReadonlyMap<string, string> {
  const usable = [...namedSecrets(env)].filter(
    ([name, secret]) => name === JUDGED_AT_START || objectionToSecret(secret) === undefined,
  );
  return new Map(usable);
}
