import { Agent, request } from 'undici';
import { permittedLookup, type AddressPolicy, type SystemLookup } from '#libs/tenants';
import { discard } from './jwks-endpoint';

/** Answers repeat the claims of a token, which are a few KiB at most. */
const MAX_BYTES = 64 * 1024;
const DEFAULT_TIMEOUT_MS = 5000;
/** To one endpoint; what more wait for a connection are bounded by their budget. */
const CONNECTIONS = 8;

/** Asks the endpoints of authorization servers about tokens (RFC 7662 §2.1). */
export class IntrospectionEndpoint {
  private readonly agent: Agent;

  /** @param timeoutMs for a whole question, from the name look-up to the last byte. */
  constructor(
    private readonly addresses: AddressPolicy,
    private readonly timeoutMs = DEFAULT_TIMEOUT_MS,
    lookup?: SystemLookup,
  ) {
    this.agent = new Agent({
      connections: CONNECTIONS,
      connect: { lookup: permittedLookup(addresses, lookup), timeout: timeoutMs },
      maxResponseSize: MAX_BYTES,
    });
  }

  /**
   * @param authorization of the gateway as a client, for the header.
   * @returns the text of a 200 response. Redirects are not followed: the token is for nobody else.
   * @throws Error with a message for the log.
   */
  async ask(url: string, authorization: string, token: string): Promise<string> {
    // Look-ups are skipped for literal addresses, so those are judged here.
    const objection = this.addresses.objectionToHost(new URL(url).hostname);
    if (objection) throw new Error(objection);
    const response = await request(url, {
      dispatcher: this.agent,
      method: 'POST',
      headers: {
        authorization,
        accept: 'application/json',
        'accept-encoding': 'identity',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
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
