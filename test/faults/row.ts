import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ask, type Answer, type Ask } from './client';
import type { Fault } from './fault';
import type { FaultyUpstream } from './servers';
import type { Stage } from './stage';

/** Usage is published every second. */
const PUBLISHED_MS = 1200;
/** Without a change for this long a bill that is wrong stays wrong: the publisher's longest pause is 5 s. */
const SETTLED_MS = 8000;

/** One row while it is being made: what clients got, and everything that must be nothing in the end. */
export class Row {
  readonly tally = new Map<string, number>();
  /** Why the row fails; none if all is well. */
  readonly problems = new Set<string>();
  /** Successes that came whole: what is to be billed. */
  received = 0;
  billed: number | undefined;
  /** Growth of the live heap in bytes from the end of the first half to that of the second. */
  heapGrowth: number | undefined;
  leakedSockets: number | undefined;
  /** Ports at the far end of the gateway's connections in this row. */
  private readonly ports = new Set<number>();
  private readonly tenants: string[] = [];
  private readonly upstreams: FaultyUpstream[] = [];

  constructor(
    readonly fault: Fault,
    readonly stage: Stage,
  ) {}

  /** Notes an upstream, which is asked for its connections in the end. */
  async upstream(starting: Promise<FaultyUpstream>): Promise<FaultyUpstream> {
    const upstream = await starting;
    this.upstreams.push(upstream);
    this.ports.add(upstream.port);
    return upstream;
  }

  /** Writes a tenant as other programs do, and a key of it that the gateway has not seen. */
  async tenant(upstreamBaseUrl: string, more: object = {}): Promise<{ id: string; key: string }> {
    const id = `${this.fault.name}-${this.tenants.length + 1}`;
    this.tenants.push(id);
    const rateLimit = { windowSeconds: 1, maxRequests: 1_000_000 };
    const document = { id, name: id, upstreamBaseUrl, allowedRoutes: [{ path: '/' }], rateLimit, ...more };
    await this.stage.topology.cli('SET', `tenant:${id}`, JSON.stringify(document));
    return { id, key: await this.key(id) };
  }

  async key(tenantId: string, key = randomBytes(16).toString('hex')): Promise<string> {
    await this.stage.topology.cli('SET', Row.mappingOf(key), tenantId);
    return key;
  }

  /** Where Redis has what a key opens. */
  static mappingOf(key: string): string {
    return `tenant:byApiKey:${createHash('sha256').update(key).digest('hex')}`;
  }

  /** Asks the stage's gateway, unless `port` says otherwise, and counts what became of it, under a name for who asked. */
  async ask(terms: Omit<Ask, 'port'> & { readonly port?: number }, who = ''): Promise<Answer> {
    const port = terms.port ?? this.stage.gateway.port;
    const answer = await ask({ ...terms, port, onConnection: (local) => this.ports.add(local) });
    this.count(who + answer.outcome, answer.billable);
    return answer;
  }

  count(outcome: string, billable = false): void {
    this.tally.set(outcome, (this.tally.get(outcome) ?? 0) + 1);
    if (billable) this.received += 1;
  }

  /** Notes a client's end of a connection to the gateway. */
  connected(localPort: number | undefined): void {
    this.ports.add(localPort ?? 0);
  }

  get requests(): number {
    return [...this.tally.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Requests that have reached an upstream. */
  get served(): number {
    return this.upstreams.reduce((sum, upstream) => sum + upstream.requests(), 0);
  }

  /** Connections to upstreams, and those of the gateway that belong to this row. */
  openSockets(): number {
    const sockets = this.stage.descriptors()?.sockets ?? [];
    const own = sockets.filter(({ peerPort }) => this.ports.has(peerPort)).length;
    return Math.max(own, ...this.upstreams.map((upstream) => upstream.connections()));
  }

  /** Waits until the bill does not change any more. */
  async settle(): Promise<void> {
    let changedAt = Date.now();
    for (;;) {
      const billed = await this.bill();
      if (billed !== this.billed) changedAt = Date.now();
      this.billed = billed;
      const stillMs = Date.now() - changedAt;
      if (stillMs >= (billed === this.received ? PUBLISHED_MS : SETTLED_MS)) return;
      await delay(200);
    }
  }

  private async bill(): Promise<number> {
    const bills = await Promise.all(
      this.tenants.map(async (id) => {
        const lines = (await this.stage.topology.cli('HGETALL', `gatehouse:{${id}}:ledger:totals`)).split(
          '\n',
        );
        return lines.reduce(
          (sum, line, index) => (/^k\|[^|]*\|billed$/.test(line) ? sum + Number(lines[index + 1]) : sum),
          0,
        );
      }),
    );
    return bills.reduce((sum, bill) => sum + bill, 0);
  }

  async stopUpstreams(): Promise<void> {
    await Promise.all(this.upstreams.map((upstream) => upstream.stop()));
  }
}
