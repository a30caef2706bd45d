import cluster from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';

interface ScrapeRequest {
  type: 'gatehouse:scrape';
  id: number;
}
interface ScrapeReply {
  type: 'gatehouse:scraped';
  id: number;
  text?: string;
  error?: string;
}

/** Longer than prom-client's own 5 s limit for collecting from the workers. */
const REPLY_TIMEOUT_MS = 6000;
let lastId = 0;

/**
 * Renders the metrics of all workers. A scrape reaches one worker; what it must answer is the sum, so the
 * worker asks the primary, which collects from every worker.
 */
export async function renderForAllWorkers(own: Registry): Promise<string> {
  if (!cluster.isWorker || !process.send) return own.metrics();
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    const settle = (error?: Error, text = ''): void => {
      clearTimeout(timer);
      process.off('message', onMessage);
      if (error) reject(error);
      else resolve(text);
    };
    const onMessage = (message: unknown): void => {
      const reply = message as ScrapeReply;
      if (reply?.type !== 'gatehouse:scraped' || reply.id !== id) return;
      settle(reply.error === undefined ? undefined : new Error(reply.error), reply.text);
    };
    const timer = setTimeout(() => settle(new Error('the workers did not report in time')), REPLY_TIMEOUT_MS);
    process.on('message', onMessage);
    process.send?.({ type: 'gatehouse:scrape', id } satisfies ScrapeRequest);
  });
}

/** Answers the workers' scrapes; call once in the primary. */
export function serveWorkerScrapes(): void {
  const aggregator = new AggregatorRegistry();
  cluster.on('message', (worker, message: ScrapeRequest) => {
    if (message?.type !== 'gatehouse:scrape') return;
    const reply = (part: Partial<ScrapeReply>): void => {
      if (worker.isConnected()) worker.send({ type: 'gatehouse:scraped', id: message.id, ...part });
    };
    aggregator.clusterMetrics().then(
      (text) => reply({ text }),
      (error: Error) => reply({ error: error.message }),
    );
  });
}

/** Makes a worker's registry the one that the primary collects. */
export function exposeToPrimary(registry: Registry): void {
  if (!cluster.isWorker) return;
  // Its constructor makes a worker listen for the primary's question.
  new AggregatorRegistry();
  AggregatorRegistry.setRegistries(registry);
}
