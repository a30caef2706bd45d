import { hash } from 'node:crypto';
import { isDictionary, type Dictionary } from './field-checks';
import type { IdentityProvider, Introspection, SecretSource } from './identity-provider';
import type { SignatureKeys } from './signing-policy';

/** What is shown in the place of a secret: enough to tell the long ones apart, nothing of one that could be guessed. */
export type ShownSecret = { env: string } | { digest: string } | { kept: true };

/** A provider as it may be shown, and sent back: the texts of its secrets never leave the store. */
export type ShownProvider = Omit<IdentityProvider, 'secrets' | 'introspection'> & {
  secrets?: ShownSecret[];
  introspection?: Omit<Introspection, 'clientSecret'> & { clientSecret: ShownSecret };
};

export function shownProvider(idp: IdentityProvider): ShownProvider {
  const { issuer, audience, jwksUri, algorithms, clockToleranceSeconds, requiredClaims } = idp;
  const { secrets, introspection } = idp;
  return {
    issuer,
    audience,
    jwksUri,
    secrets: secrets?.map((secret) => (typeof secret === 'string' ? { digest: digestOf(secret) } : secret)),
    introspection: introspection && shownIntrospection(introspection),
    algorithms,
    clockToleranceSeconds,
    requiredClaims,
  };
}

/** Below this length a digest would give a secret away to whoever tries out texts. */
const DIGESTIBLE_BYTES = 32;

/** Keys for signatures as they may be shown, by id. */
export function shownSignatureKeys(keys: SignatureKeys): Record<string, { secret: ShownSecret }> {
  return Object.fromEntries(
    Object.entries(keys).map(([id, { secret }]) => [id, { secret: shownSecret(secret) }]),
  );
}

function shownSecret(secret: SecretSource): ShownSecret {
  if (typeof secret !== 'string') return secret;
  return Buffer.byteLength(secret) < DIGESTIBLE_BYTES ? { kept: true } : { digest: digestOf(secret) };
}

function shownIntrospection({ endpoint, clientId, clientSecret }: Introspection) {
  return {
    endpoint,
    clientId,
    clientSecret: typeof clientSecret === 'string' ? ({ kept: true } as const) : clientSecret,
  };
}

/**
 * A changed tenant document in which secrets that were only shown are those of the stored one again. What is not found is
 * left as it is, for the check to refuse. A client secret is kept for its endpoint only: it must not be sent to another.
 */
export function withKeptSecrets(stored: Dictionary, changed: Dictionary): Dictionary {
  const signatureKeys = withKeptKeys(stored.signatureKeys, changed.signatureKeys);
  const before = providersIn(stored);
  if (before.length === 0) return signatureKeys ? { ...changed, signatureKeys } : changed;
  const restored = (idp: unknown): unknown => {
    const origin = isDictionary(idp) ? before.find(({ issuer }) => issuer === idp.issuer) : undefined;
    return isDictionary(idp) && origin ? restore(idp, origin) : idp;
  };
  const { idp, idps } = changed;
  return {
    ...changed,
    ...(idp === undefined ? {} : { idp: restored(idp) }),
    ...(Array.isArray(idps) ? { idps: idps.map(restored) } : {}),
    ...(signatureKeys && { signatureKeys }),
  };
}

/** A key that was only shown is the stored one of the same id. */
function withKeptKeys(stored: unknown, changed: unknown): Dictionary | undefined {
  if (!isDictionary(stored) || !isDictionary(changed)) return undefined;
  return Object.fromEntries(
    Object.entries(changed).map(([id, key]) => {
      const origin = Object.hasOwn(stored, id) ? stored[id] : undefined;
      if (!isDictionary(key) || !isDictionary(origin) || !isDictionary(key.secret)) return [id, key];
      const { secret } = origin;
      const { digest, kept } = key.secret;
      const meant = typeof secret === 'string' && (kept === true || digest === digestOf(secret));
      return [id, meant ? { ...key, secret } : key];
    }),
  );
}

function restore(idp: Dictionary, origin: Dictionary): Dictionary {
  const { secrets, introspection } = idp;
  const known = Array.isArray(origin.secrets) ? (origin.secrets as SecretSource[]) : [];
  const texts = known.filter((one) => typeof one === 'string');
  const secretOf = (shown: unknown): unknown =>
    (isDictionary(shown) && texts.find((one) => digestOf(one) === shown.digest)) || shown;
  const kept = isDictionary(introspection) && isKept(introspection, origin.introspection);
  return {
    ...idp,
    ...(Array.isArray(secrets) ? { secrets: secrets.map(secretOf) } : {}),
    ...(kept ? { introspection: origin.introspection } : {}),
  };
}

function isKept({ endpoint, clientId, clientSecret }: Dictionary, origin: unknown): boolean {
  if (!isDictionary(origin) || !isDictionary(clientSecret) || clientSecret.kept !== true) return false;
  return endpoint === origin.endpoint && clientId === origin.clientId;
}

function providersIn({ idp, idps }: Dictionary): Dictionary[] {
  return [idp, ...(Array.isArray(idps) ? (idps as unknown[]) : [])].filter(isDictionary);
}

function digestOf(secret: string): string {
  return hash('sha256', secret, 'hex').slice(0, 16);
}
