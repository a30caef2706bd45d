import { hash } from 'node:crypto';
import { GatewayError } from '#libs/errors';
import { keys, versionOf, type Store } from '#libs/store';
import { MAX_ROUNDS } from '#libs/tenants';

/**
 * Who has which route: a small document for each host, method, path and headers that somebody publishes, so that of two
 * tenants who publish the same at the same time one is refused. A claim counts only as long as its holder does publish it:
 * what a crash, a removed tenant or another program has left behind is taken over.
 */
export class RouteClaims {
  /** @param publishes whether a tenant publishes something that takes this match key. */
  constructor(
    private readonly store: Store,
    private readonly publishes: (tenantId: string, matchKey: string) => Promise<boolean>,
  ) {}

  /** @returns false if another tenant has it. */
  async claim(tenantId: string, matchKey: string): Promise<boolean> {
    const { documents } = this.store;
    const key = keyOf(matchKey);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (await unlessDeclared(documents.put(key, tenantId, 'absent'))) return true;
      const holder = await documents.get(key);
      if (holder === tenantId) return true;
      if (holder === undefined) continue;
      if (await this.publishes(holder, matchKey)) return false;
      if (!(await unlessDeclared(documents.put(key, tenantId, { version: versionOf(holder) })))) continue;
      // It may have published between the question and the taking over, and have found its claim in place.
      if (!(await this.publishes(holder, matchKey))) return true;
      await documents.put(key, holder, { version: versionOf(tenantId) });
      return false;
    }
    return false;
  }

  /** Whether the tenant has them still: somebody may have taken them over before they were published. */
  async holds(tenantId: string, matchKeys: readonly string[]): Promise<boolean> {
    const holders = await Promise.all(matchKeys.map((key) => this.store.documents.get(keyOf(key))));
    return holders.every((holder) => holder === tenantId);
  }

  async release(tenantId: string, matchKeys: readonly string[]): Promise<void> {
    const expected = { version: versionOf(tenantId) };
    const { documents } = this.store;
    await Promise.all(matchKeys.map((key) => unlessDeclared(documents.delete(keyOf(key), expected))));
  }
}

/** A file may have come to publish the same, and then it has the route: whoever had it must still be able to leave it. */
async function unlessDeclared(written: Promise<boolean>): Promise<boolean> {
  try {
    return await written;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'declared_in_file') return false;
    throw error;
  }
}

/** The key of the document that says whose a route is. */
export function keyOf(matchKey: string): string {
  return keys.routeClaim(hash('sha256', matchKey, 'hex').slice(0, 32));
}
