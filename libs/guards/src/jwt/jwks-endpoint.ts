import { Agent, request, type Dispatcher } from 'undici';
import { permittedLookup, type AddressPolicy, type SystemLookup } from '#libs/tenants';

/** JWK Sets are a few KiB; certificate chains (`x5c`) make some a few dozen. */
const MAX_BYTES = 256 * 1024;
const DEFAULT_TIMEOUT_MS = 5000;

/** Fetches documents from addresses that tenants name, so every answer and every address is suspect. */
export class JwksEndpoint {
  private readonly agent: Agent;

  /**
   * @param timeoutMs for a whole fetch, from the name look-up to the last byte.
   * @param lookup replaces the system's resolver, for tests.
   */
  constructor(
    private readonly addresses: AddressPolicy,
    private readonly timeoutMs = DEFAULT_TIMEOUT_MS,
    lookup?: SystemLookup,
  ) {
    this.agent = new Agent({
      connections: 1,
      connect: { lookup: permittedLookup(addresses, lookup), timeout: timeoutMs },
      maxResponseSize: MAX_BYTES,
    });
  }

  /**
   * @returns the text of a 200 response. Redirects are not followed: they would lead past what was configured.
   * @throws Error with a message for the log.
   */
  async fetch(url: string): Promise<string> {
    // Look-ups are skipped for literal addresses, so those are judged here.
    const objection = this.addresses.objectionToHost(new URL(url).hostname);
    if (objection) throw new Error(objection);
    // Fetches are minutes apart, so a connection is not kept; a compressed body could grow past every limit.
    const response = await request(url, {
      dispatcher: this.agent,
      reset: true,
      headers: { accept: 'application/jwk-set+json, application/json', 'accept-encoding': 'identity' },
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    if (response.statusCode !== 200) {
      discard(response.body);
      throw new Error(`the endpoint answered ${response.statusCode}`);
    }
    return response.body.text();
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

export function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => {});
  body.destroy();
}
