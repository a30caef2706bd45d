import type { ServerResponse } from 'node:http';
import {
  NO_PURGES,
  locate,
  type Forwarded,
  type Located,
  type PurgeList,
  type RequestFields,
} from '#libs/cache';
import type { GatewayRequest, RequestContext } from '#libs/guards';
import type { ServedCachePolicy } from '#libs/tenants';

/** Who asks, and where the answer goes. */
export interface Asked {
  readonly request: GatewayRequest;
  readonly response: ServerResponse;
}

/** A request that may be answered from the store, and what has been found out about it. */
export class Question {
  purges: PurgeList = NO_PURGES;
  reason: Forwarded = 'uri-miss';
  /** It has waited for the request of somebody else. */
  waited = false;

  constructor(
    private readonly asked: Asked,
    readonly policy: ServedCachePolicy,
    readonly fields: RequestFields,
    readonly located: Located,
    /** The key does not say whose credential the request carries (RFC 9111 §3.5). */
    readonly sharesCredentials: boolean,
  ) {}

  get request(): GatewayRequest {
    return this.asked.request;
  }

  get response(): ServerResponse {
    return this.asked.response;
  }

  get context(): RequestContext {
    return this.request.context;
  }

  /** Nobody waits for an answer any more. */
  get gone(): boolean {
    return this.response.destroyed || this.response.writableEnded;
  }
}

/** @param fields of the request */
export function questionOf(
  request: GatewayRequest,
  response: ServerResponse,
  policy: ServedCachePolicy,
  fields: RequestFields,
): Question {
  const { located, sharesCredentials } = locate(request.context, policy, fields);
  return new Question({ request, response }, policy, fields, located, sharesCredentials);
}
