import { createSecretKey, type KeyObject } from 'node:crypto';
import { GatewayError } from '#libs/errors';
import type { SignatureKeys } from '#libs/tenants';

/** Secrets that documents may name by their variables, without those that could be guessed. */
export type NamedSecrets = ReadonlyMap<string, string>;

/** Whoever has keys for signatures: a served tenant. */
export interface KeyOwner {
  readonly signatureKeys: SignatureKeys | undefined;
}

/** The keys of one tenant, ready to be used. */
export class KeyRing {
  private readonly keys = new Map<string, KeyObject>();
  private readonly missing = new Set<string>();

  constructor(keys: SignatureKeys, named: NamedSecrets) {
    for (const [id, { secret }] of Object.entries(keys)) {
      const text = typeof secret === 'string' ? secret : named.get(secret.env);
      if (text === undefined) this.missing.add(id);
      else this.keys.set(id, createSecretKey(Buffer.from(text)));
    }
  }

  /**
   * Undefined for a key that the tenant does not have.
   * @throws GatewayError tenant_misconfigured for one whose variable is not in the environment, or could be guessed
   */
  find(id: string): KeyObject | undefined {
    const key = this.keys.get(id);
    if (key === undefined && this.missing.has(id))
      throw new GatewayError(
        'tenant_misconfigured',
        `the secret of the signature key ${id} is missing or weak`,
      );
    return key;
  }
}

/** The keys of all tenants, each made when it is first used and kept as long as the tenant's compiled configuration. */
export class KeyRings {
  private readonly rings = new WeakMap<SignatureKeys, KeyRing>();
  private readonly none = new KeyRing({}, new Map());

  constructor(private readonly named: NamedSecrets) {}

  of({ signatureKeys }: KeyOwner): KeyRing {
    if (signatureKeys === undefined) return this.none;
    let ring = this.rings.get(signatureKeys);
    if (!ring) this.rings.set(signatureKeys, (ring = new KeyRing(signatureKeys, this.named)));
    return ring;
  }
}
