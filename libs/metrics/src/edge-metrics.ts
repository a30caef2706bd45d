import { Counter, Gauge, type Registry } from 'prom-client';

/** What became of the requests of a regional edge, since the start of the process. */
export interface EdgeFigures {
  readonly total: number;
  readonly forwarded: number;
  readonly rateLimited: number;
  readonly blocked: number;
  /** Clients that were heard of in the last minute. */
  readonly activeClients: number;
}

const REQUESTS = 'gateway_edge_requests_total';
const CLIENTS = 'gateway_edge_active_clients';

export function watchEdge(registry: Registry, edge: { readonly figures: EdgeFigures }): void {
  const registers = [registry];
  new Counter({
    name: REQUESTS,
    help: 'Requests to the regional edge by what became of them; total counts all of them',
    labelNames: ['outcome'],
    registers,
    collect() {
      const { total, forwarded, rateLimited, blocked } = edge.figures;
      this.reset();
      this.inc({ outcome: 'total' }, total);
      this.inc({ outcome: 'forwarded' }, forwarded);
      this.inc({ outcome: 'rate_limited' }, rateLimited);
      this.inc({ outcome: 'blocked' }, blocked);
    },
  });
  new Gauge({
    name: CLIENTS,
    help: 'Client addresses that were heard of in the last minute',
    registers,
    collect() {
      this.set(edge.figures.activeClients);
    },
  });
}

/** Reads the figures back from a rendering, for the sum of several processes is made there. */
export function edgeFiguresIn(text: string): EdgeFigures {
  const value = (series: string): number => {
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  };
  const requests = (outcome: string): number => value(`${REQUESTS}{outcome="${outcome}"}`);
  return {
    total: requests('total'),
    forwarded: requests('forwarded'),
    rateLimited: requests('rate_limited'),
    blocked: requests('blocked'),
    activeClients: value(CLIENTS),
  };
}
