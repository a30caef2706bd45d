import { Cluster } from 'ioredis';
import {
  isBudget,
  StoreUnavailableError,
  type Bucket,
  type Charge,
  type Claim,
  type ClaimVerdict,
  type LeaseGrant,
  type LeaseRequest,
  type Limit,
  type Limits,
} from '../store';
import { suffices, verdict } from '../token-bucket';
import { CHARGE, LEASE, TAKE } from './limit-scripts';
import type { RedisHealth } from './redis-health';
import { callScript, Script, sendWhole, type ScriptReply } from './script-call';
import type { RedisClient } from './scripts';

interface Waiter {
  resolve(verdict: ClaimVerdict): void;
  reject(error: unknown): void;
}

/** Requests of one turn of the event loop that have the same limits. */
interface Party {
  readonly claim: Claim;
  readonly waiters: Waiter[];
}

/** A lease that is asked for in this turn. */
interface LeaseWaiter {
  readonly request: LeaseRequest;
  readonly resolve: (grant: LeaseGrant | Error) => void;
}

const SCRIPTS = { take: new Script(TAKE), charge: new Script(CHARGE), lease: new Script(LEASE) };

/** Claims decided, or limits charged, by one script call: bounds how long Redis is busy with it, some 5 µs each. */
const MAX_PARTIES = 64;

/**
 * Limits in Redis. What arrives in the same turn of the event loop shares one script call. Requests of one claim are
 * granted what there is in the order they came, which is what as many single calls would have done.
 */
export class RedisLimits implements Limits {
  private parties = new Map<Claim, Party>();
  private leases: LeaseWaiter[] = [];
  private scheduled = false;
  private readonly inCluster: boolean;

  constructor(
    private readonly client: RedisClient,
    private readonly health: RedisHealth,
  ) {
    this.inCluster = client instanceof Cluster;
  }

  take(claim: Claim): Promise<ClaimVerdict> {
    return new Promise((resolve, reject) => {
      const party = this.parties.get(claim);
      if (party) {
        party.waiters.push({ resolve, reject });
        return;
      }
      this.parties.set(claim, { claim, waiters: [{ resolve, reject }] });
      this.schedule();
    });
  }

  async peek(claim: Claim): Promise<ClaimVerdict> {
    const verdicts = await new Promise<ClaimVerdict>((resolve, reject) => {
      void this.decide([{ claim, waiters: [{ resolve, reject }] }], 0);
    });
    return verdicts;
  }

  async charge(charges: readonly Charge[]): Promise<readonly Charge[]> {
    const failed: Charge[] = [];
    const make = async (some: readonly Charge[]): Promise<void> => {
      const keys = some.map(([limit]) => limit.key);
      // prettier-ignore
      const terms = some.flatMap(([limit, amount]) => [limit.capacity, limit.windowMs, endsAt(limit), amount]);
      try {
        await this.call('charge', keys, terms);
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        failed.push(...some);
      }
    };
    await Promise.all(this.portions(charges).map(make));
    return failed;
  }

  async forget(limits: readonly string[]): Promise<void> {
    if (limits.length === 0) return;
    const { client } = this;
    await this.health.run(() => client.del(limits.map((key) => (this.inCluster ? inTenantSlot(key) : key))));
  }

  async lease(requests: readonly LeaseRequest[]): Promise<ReadonlyArray<LeaseGrant | Error>> {
    return Promise.all(
      requests.map(
        (request) =>
          new Promise<LeaseGrant | Error>((resolve) => {
            this.leases.push({ request, resolve });
            this.schedule();
          }),
      ),
    );
  }

  private async leaseSome(some: readonly LeaseWaiter[]): Promise<void> {
    const keys = some.map(({ request: { bucket } }) => bucket.key);
    const terms = some.flatMap(({ request: { bucket, wanted, generation, used, returned, held } }) => [
      bucket.capacity,
      bucket.windowMs,
      wanted,
      generation,
      used,
      returned,
      held,
    ]);
    try {
      const reply = await this.call('lease', keys, terms);
      some.forEach(({ request, resolve }, i) =>
        resolve(grantOf(request.bucket, reply.slice(i * 4, i * 4 + 4))),
      );
    } catch (error) {
      for (const { resolve } of some) resolve(error as Error);
    }
  }

  /** What one call may be about. In a cluster a script may only touch keys of one slot, and every tenant has its own. */
  private portions<T>(all: readonly T[]): T[][] {
    const size = this.inCluster ? 1 : MAX_PARTIES;
    return Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
      all.slice(i * size, (i + 1) * size),
    );
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    const { leases } = this;
    this.leases = [];
    for (const some of this.portions(leases)) void this.leaseSome(some);
    const parties = [...this.parties.values()];
    // Not clear(): V8 chains the table of a cleared map to its successor, and once one of them has grown old, every
    // later one with all that it holds is promoted to the old generation behind it.
    this.parties = new Map();
    for (const some of this.portions(parties)) void this.decide(some);
  }

  /** @param wanted requests that each party asks for; absent: as many as wait. */
  private async decide(parties: readonly Party[], wanted?: number): Promise<void> {
    const keys: string[] = [];
    const places = new Map<string, number>();
    const terms: number[] = [];
    const claims: number[] = [];
    for (const { claim, waiters } of parties) {
      claims.push(wanted ?? waiters.length, claim.length);
      for (const limit of claim) {
        let place = places.get(limit.key);
        if (place === undefined) {
          places.set(limit.key, (place = keys.push(limit.key)));
          terms.push(limit.capacity, limit.windowMs, endsAt(limit));
        }
        claims.push(place, costOf(limit));
      }
    }
    for (const term of claims) terms.push(term);
    try {
      const reply = await this.call('take', keys, terms);
      let at = 0;
      for (const party of parties) at = settle(party, reply, at);
    } catch (error) {
      for (const { waiters } of parties) for (const waiter of waiters) waiter.reject(error);
    }
  }

  private call(
    name: keyof typeof SCRIPTS,
    keys: readonly string[],
    terms: readonly number[],
  ): Promise<ScriptReply> {
    const { client } = this;
    const script = SCRIPTS[name];
    return this.health.run(() => {
      if (!(client instanceof Cluster)) {
        // A charge goes whole: sent again where it is not known, it would come behind what must find it done.
        return (name === 'charge' ? sendWhole : callScript)(client, script, keys, terms);
      }
      const tagged = keys.map(inTenantSlot);
      if (name === 'take') return client.gatehouseTake(keys.length, ...tagged, ...terms);
      if (name === 'lease') return client.gatehouseLease(keys.length, ...tagged, ...terms);
      return client.eval(script.lua, keys.length, ...tagged, ...terms) as Promise<ScriptReply>;
    });
  }
}

function grantOf(
  bucket: Bucket,
  [granted = 0, left = 0, generation = 0, kept]: ScriptReply,
): LeaseGrant | Error {
  if (Number(granted) < 0) return new Error(String(left));
  const { remaining, retryAfterMs } = verdict(Number(left), bucket, false);
  return {
    granted: Number(granted),
    kept: kept === 1,
    remaining,
    retryAfterMs,
    generation: Number(generation),
  };
}

/** @returns where the next party's part of the reply begins. */
function settle({ claim, waiters }: Party, reply: ScriptReply, at: number): number {
  const granted = Number(reply[at]);
  if (granted < 0) {
    for (const waiter of waiters) waiter.reject(new Error(String(reply[at + 1])));
    return at + 2;
  }
  waiters.forEach((waiter, position) => {
    const allowed = position < granted;
    // Each of them sees what was left right after it, not what was left after all.
    const takenLater = allowed ? granted - 1 - position : 0;
    const verdicts = claim.map((limit, i) => {
      const units = Number(reply[at + 1 + i]);
      const ownUnits = isBudget(limit)
        ? units - takenLater * limit.cost
        : units + takenLater * limit.windowMs;
      return verdict(ownUnits, limit, allowed || suffices(units, limit));
    });
    waiter.resolve({ allowed: verdicts.every((one) => one.allowed), verdicts });
  });
  return at + 1 + claim.length;
}

function costOf(limit: Limit): number {
  return isBudget(limit) ? limit.cost : 1;
}

function endsAt(limit: Limit): number {
  return isBudget(limit) ? limit.endsAt : 0;
}

/** The documented name of a tenant's bucket has no hash tag; a cluster needs one, so that all its limits share a slot. */
function inTenantSlot(key: string): string {
  return key.replace(/^rl:([^:{}]+):/, 'rl:{$1}:');
}
