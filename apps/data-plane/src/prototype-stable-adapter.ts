import { ExpressAdapter } from '@nestjs/platform-express';
import http, { IncomingMessage, ServerResponse, type RequestListener, type ServerOptions } from 'node:http';

interface ExpressApplication {
  request: object;
  response: object;
  disable(setting: string): void;
}

/**
 * A server whose requests and responses are born with the prototypes that Express gives them.
 * Express calls `Object.setPrototypeOf(req, app.request)` on every request; V8 then throws the hidden class away
 * and every later access is slow, some 200 µs per request. With the right prototype from the start the call is a no-op.
 */
export class PrototypeStableAdapter extends ExpressAdapter {
  /** @param listener stands before Express and decides what reaches it. */
  constructor(
    private readonly serverOptions: ServerOptions,
    private readonly listener: RequestListener,
  ) {
    super();
  }

  override initHttpServer(): void {
    const app = this.getInstance<ExpressApplication>();
    app.disable('x-powered-by');
    // Classes, not functions: V8 caches the hidden class of `new` on a derived constructor only.
    class Request extends IncomingMessage {}
    class Response extends ServerResponse {}
    app.request = adopt(Request.prototype, app.request);
    app.response = adopt(Response.prototype, app.response);
    this.httpServer = http.createServer(
      { ...this.serverOptions, IncomingMessage: Request, ServerResponse: Response },
      this.listener,
    );
  }
}

/** Puts Express's prototype between ours and Node's. */
function adopt(own: object, express: object): object {
  Object.setPrototypeOf(own, express);
  return own;
}
