import { randomBytes } from 'node:crypto';

/** What `config export` writes in the place of a secret: the one that the gateway has. */
export type KeptSecret = { readonly kept: true } | { readonly digest: string };

/** Secrets that a file leaves to the gateway which it is applied to. While a file is checked a text stands in for each. */
export class KeptSecrets {
  private readonly standIns = new Map<string, KeptSecret>();

  standIn(kept: KeptSecret): string {
    const text = randomBytes(32).toString('hex');
    this.standIns.set(text, kept);
    return text;
  }

  /** The same with what the file says in the places of the stand-ins. */
  restored<T>(value: T): T {
    return this.standIns.size === 0 ? value : (this.restore(value) as T);
  }

  private restore(value: unknown): unknown {
    if (typeof value === 'string') return this.standIns.get(value) ?? value;
    if (Array.isArray(value)) return value.map((each) => this.restore(each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.restore(inner)]));
  }
}

export function isKept(secret: object): secret is KeptSecret {
  return 'kept' in secret || 'digest' in secret;
}
