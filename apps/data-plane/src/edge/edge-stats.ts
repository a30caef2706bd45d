import { clientOf, type RequestContext } from '#libs/guards';
import type { EdgeFigures } from '#libs/metrics';

/** Whoever was not heard of for as long is not active any more. */
const ACTIVE_MS = 60_000;
/** Clients that are told apart, some 150 bytes each; of more than these the longest silent are forgotten. */
const MAX_CLIENTS = 100_000;

/** What `/stats` of a regional edge shows, of this process. */
export class EdgeStats {
  private total = 0;
  private forwarded = 0;
  private rateLimited = 0;
  private blocked = 0;
  /** When each client was last heard of, the longest silent first. */
  private readonly clients = new Map<string, number>();

  /** @param now milliseconds. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A request is over. */
  note({ refusal, upstreamStartedAt, clientAddress }: RequestContext): void {
    this.total += 1;
    if (upstreamStartedAt !== undefined) this.forwarded += 1;
    else if (refusal?.code === 'rate_limited') this.rateLimited += 1;
    else if (refusal?.code === 'address_not_allowed') this.blocked += 1;
    if (refusal?.code !== 'address_not_allowed') this.heardOf(clientOf(clientAddress));
  }

  get figures(): EdgeFigures {
    this.forgetSilent();
    const { total, forwarded, rateLimited, blocked, clients } = this;
    return { total, forwarded, rateLimited, blocked, activeClients: clients.size };
  }

  private heardOf(client: string): void {
    this.clients.delete(client);
    this.clients.set(client, this.now());
    if (this.clients.size > MAX_CLIENTS) this.forgetSilent();
    if (this.clients.size <= MAX_CLIENTS) return;
    const [longest] = this.clients.keys();
    if (longest !== undefined) this.clients.delete(longest);
  }

  private forgetSilent(): void {
    const since = this.now() - ACTIVE_MS;
    for (const [client, heardAt] of this.clients) {
      if (heardAt > since) return;
      this.clients.delete(client);
    }
  }
}
