import type { Readable } from 'node:stream';
import type { TimeoutConfig } from '#libs/config';
import type { GatewayError } from '#libs/errors';
import type { PaceWatch } from '#libs/load';
import type { ResponseCompression } from '../shaping/compression';
import type { Outgoing } from './dispatch';
import type { ResponseChanges } from './response-headers';
import type { ResponseObserver } from './response-observer';
import type { RetryObservation } from './retry-observation';

/** What an exchange needs from its surroundings. */
export interface ExchangeTerms {
  readonly outgoing: Outgoing;
  readonly timeouts: TimeoutConfig;
  readonly retries: RetryObservation;
  /** Undefined when the request has none, or when the attempts of a retry policy send it. */
  readonly body: (Readable & { answered: boolean }) | Buffer | undefined;
  /** What routes and services make of the response's headers. */
  readonly changes: ResponseChanges | undefined;
  /** Undefined where nothing is said about compressing the response. */
  readonly encode: ResponseCompression | undefined;
  /** Response headers that the gateway adds, flat. */
  readonly ownHeaders: readonly string[];
  /** Where the caller's limits stand, flat. */
  readonly levels: readonly string[];
  /** Sees that the client reads what it is sent. */
  readonly readers: PaceWatch;
  /** Undefined: nobody looks on. */
  readonly observer: ResponseObserver | undefined;
  refuse(error: GatewayError): void;
  /** The response leaves whole at this moment. Not called where that takes longer; called again changes nothing. */
  readonly delivered: () => void;
  /** The response is an event stream, which may be open for long. */
  readonly streaming: () => void;
}
