import type { GatewayError } from '#libs/errors';
import type { ResponseHead } from './response-headers';

/** Looks on while the response to a request passes, and may keep it from the client. */
export interface ResponseObserver {
  /**
   * The head has come.
   * @param raw as the upstream sent it, flat
   * @param head as the client would get it, to be added to
   * @returns false: the client has been answered otherwise, and the rest of the response is for the observer alone.
   */
  head(status: number, raw: readonly Buffer[], head: ResponseHead): boolean;
  data(chunk: Buffer): void;
  complete(hasTrailers: boolean): void;
  /** @returns true if the client has been answered otherwise. */
  failed(error: GatewayError): boolean;
  /** The client is gone. @returns true: the response is wanted all the same. */
  abandoned(): boolean;
}
