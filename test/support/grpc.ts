import * as grpc from '@grpc/grpc-js';

const passed = {
  requestSerialize: (value: Buffer) => value,
  requestDeserialize: (value: Buffer) => value,
  responseSerialize: (value: Buffer) => value,
  responseDeserialize: (value: Buffer) => value,
};

/** A service whose messages are plain bytes. */
export const ECHO = {
  unary: { path: '/test.Echo/Unary', requestStream: false, responseStream: false, ...passed },
  upload: { path: '/test.Echo/Upload', requestStream: true, responseStream: false, ...passed },
  download: { path: '/test.Echo/Download', requestStream: false, responseStream: true, ...passed },
  talk: { path: '/test.Echo/Talk', requestStream: true, responseStream: true, ...passed },
} satisfies grpc.ServiceDefinition;

export interface GrpcUpstream {
  /** `h2c://127.0.0.1:port`, or `h2://localhost:port` with credentials of TLS. */
  readonly url: string;
  readonly port: number;
  readonly server: grpc.Server;
  /** Of every call, oldest first. */
  readonly metadata: grpc.Metadata[];
  /** Calls that their client has given up. */
  cancelled: number;
  stop(): void;
}

/** What the unary method does; by default it answers with its request. */
export type UnaryHandler = grpc.handleUnaryCall<Buffer, Buffer>;

const upstreams = new Set<grpc.Server>();
const clients = new Set<grpc.Client>();

// Whatever a failed test leaves running.
afterAll(() => {
  for (const client of clients) client.close();
  for (const server of upstreams) server.forceShutdown();
});

/**
 * Starts a server of gRPC on a free loopback port. `upload` answers with the number of bytes; `download` answers as often as
 * its request says, `talk` to each message with the same.
 */
export async function startGrpcUpstream(
  unary: UnaryHandler = (call, done) => done(null, call.request),
  { port = 0, credentials }: { port?: number; credentials?: grpc.ServerCredentials } = {},
): Promise<GrpcUpstream> {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  upstreams.add(server);
  const note = (call: { metadata: grpc.Metadata; on(event: 'cancelled', f: () => void): unknown }): void => {
    upstream.metadata.push(call.metadata);
    call.on('cancelled', () => (upstream.cancelled += 1));
  };
  server.addService(ECHO, {
    unary(call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
      note(call);
      unary(call, done);
    },
    upload(call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
      note(call);
      let bytes = 0;
      call.on('data', (message: Buffer) => (bytes += message.length));
      call.on('end', () => done(null, Buffer.from(String(bytes))));
    },
    download(call: grpc.ServerWritableStream<Buffer, Buffer>) {
      note(call);
      const times = Number(call.request.toString());
      for (let i = 0; i < times; i++) call.write(Buffer.from(`message ${i}`));
      if (call.metadata.get('stay').length === 0) call.end();
    },
    talk(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      note(call);
      call.on('data', (message: Buffer) => call.write(message));
      call.on('end', () => call.end());
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    const given = credentials ?? grpc.ServerCredentials.createInsecure();
    server.bindAsync(`127.0.0.1:${port}`, given, (error, at) => (error ? reject(error) : resolve(at)));
  });
  const upstream: GrpcUpstream = {
    url: credentials ? `h2://localhost:${bound}` : `h2c://127.0.0.1:${bound}`,
    port: bound,
    server,
    metadata: [],
    cancelled: 0,
    stop: () => server.forceShutdown(),
  };
  return upstream;
}

export interface GrpcAnswer {
  readonly code: grpc.status;
  readonly details: string;
  readonly messages: Buffer[];
  /** Of the head. */
  readonly head: grpc.Metadata;
  /** Of the end. */
  readonly trailers: grpc.Metadata;
}

/** A call under way. */
export interface GrpcCall {
  readonly call: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly messages: Buffer[];
  readonly answer: Promise<GrpcAnswer>;
}

export class GrpcClient {
  private readonly client: grpc.Client;

  constructor(
    address: string,
    credentials = grpc.credentials.createInsecure(),
    options: grpc.ClientOptions = {},
  ) {
    this.client = new grpc.Client(address, credentials, {
      'grpc.enable_retries': 0,
      'grpc.max_receive_message_length': -1,
      // Clients share a connection otherwise, which one of them may have closed.
      'grpc.use_local_subchannel_pool': 1,
      ...options,
    });
    clients.add(this.client);
  }

  /** Begins a call of any kind; to the protocol all are streams. */
  begin(
    method: keyof typeof ECHO,
    metadata: Record<string, string | Buffer> = {},
    options: grpc.CallOptions = {},
    path = ECHO[method].path,
  ): GrpcCall {
    const fields = new grpc.Metadata();
    for (const [name, value] of Object.entries(metadata)) fields.set(name, value);
    const same = (value: Buffer): Buffer => value;
    const call = this.client.makeBidiStreamRequest(path, same, same, fields, options);
    const messages: Buffer[] = [];
    let head = new grpc.Metadata();
    call.on('data', (message: Buffer) => messages.push(message));
    call.on('metadata', (received: grpc.Metadata) => (head = received));
    call.on('error', () => undefined);
    const answer = new Promise<GrpcAnswer>((resolve) => {
      call.on('status', ({ code, details, metadata: trailers }: grpc.StatusObject) =>
        resolve({ code, details, messages, head, trailers }),
      );
    });
    return { call, messages, answer };
  }

  /** One message, and all that comes of it. */
  ask(
    method: 'unary' | 'download',
    message: string | Buffer,
    metadata: Record<string, string | Buffer> = {},
    options: grpc.CallOptions = {},
    path?: string,
  ): Promise<GrpcAnswer> {
    const { call, answer } = this.begin(method, metadata, options, path);
    call.write(Buffer.from(message));
    call.end();
    return answer;
  }

  close(): void {
    clients.delete(this.client);
    this.client.close();
  }
}
