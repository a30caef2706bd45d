import { execFile } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { type Certificates, createCertificates, openssl } from './certificates';
import { type TestChild, freePort, isFree, scratchFolder, startChild } from './children';
import { skipUnless } from './skip';

export { startCluster, startSentinel } from './redis-topologies';
export type { TestCluster, TestSentinel } from './redis-topologies';

/** Set by `npm test`; see scripts/redis-server.mjs. */
const server = process.env.TEST_REDIS_SERVER;
const sharedUrl = process.env.TEST_REDIS_URL;

/** `describe` for suites that need a Redis of their own (`startRedis`, `startCluster`, `startSentinel`). */
export const describeRedis = skipUnless(!!server, 'no redis-server binary, only REDIS_URL');
/** `describe` for suites that need a Redis that speaks TLS. */
export const describeRedisTls = skipUnless(!!server && !!openssl, 'TLS needs redis-server and openssl');

export interface RedisOptions {
  /** Serve TLS only, with a certificate for localhost and 127.0.0.1. */
  tls?: boolean;
  /** Keep every write across `kill()` and `restart()`; without it a restarted server is empty. */
  aof?: boolean;
  password?: string;
  port?: number;
  /** Further `--name value` settings. */
  settings?: Record<string, string>;
  /** Internal: how the server says that it is ready. */
  readyLine?: RegExp;
  /** Internal: a configuration file, and words after it (`--sentinel`). */
  configFile?: string;
  mode?: string[];
}

export interface TestRedis {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Of the running server; another one after `restart()`. */
  readonly pid: number;
  readonly password: string | undefined;
  readonly certificates: Certificates | undefined;
  /** The real redis-cli on this server; its output without the last newline. Throws what Redis refuses. */
  cli(...args: string[]): Promise<string>;
  /** Ends it in good order (idempotent). */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Stops the process without closing its sockets, as a hung machine would (SIGSTOP). */
  pause(): void;
  resume(): void;
  /** Starts it again, on the same port and with the files it left; stops it first if it still runs. */
  restart(): Promise<void>;
  /** Whether it was stopped or killed, and not started again. */
  hasEnded(): boolean;
  /** What the server has printed. */
  output(): string;
}

/** Starts a Redis for this test alone, on a free loopback port. It ends with the test file at the latest. */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freeRedisPort());
    const redis = new RedisProcess(port, options);
    try {
      await redis.start();
      return redis;
    } catch (error) {
      // Somebody else may have taken the port since it was found free.
      if (options.port || attempt === 3 || !/in use/i.test(String(error))) throw error;
    }
  }
}

/** Leaves room for the cluster bus, which listens 10,000 ports higher. */
async function freeRedisPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (await isFree(port + 10_000)) return port;
  }
}

class RedisProcess implements TestRedis {
  readonly host = '127.0.0.1';
  readonly url: string;
  readonly password: string | undefined;
  readonly certificates: Certificates | undefined;
  private readonly folder = scratchFolder('redis');
  private readonly lines: string[] = [];
  private child: TestChild | undefined;

  constructor(
    readonly port: number,
    private readonly options: RedisOptions,
  ) {
    this.password = options.password;
    this.certificates = options.tls ? createCertificates() : undefined;
    const credentials = options.password ? `:${encodeURIComponent(options.password)}@` : '';
    this.url = `${options.tls ? 'rediss' : 'redis'}://${credentials}${this.host}:${port}`;
  }

  get pid(): number {
    if (!this.child) throw new Error('this Redis was never started');
    return this.child.pid;
  }

  async start(): Promise<void> {
    const child = await startChild(redisBinary('server'), this.commandLine(), {
      cwd: this.folder,
      env: redisEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const readyLine = this.options.readyLine ?? /Ready to accept connections/;
    await new Promise<void>((resolve, reject) => {
      for (const input of [child.process.stdout!, child.process.stderr!]) {
        createInterface({ input }).on('line', (line) => {
          this.lines.push(line);
          if (readyLine.test(line)) resolve();
        });
      }
      void child.exited.then(({ code }) =>
        reject(new Error(`redis-server ended with ${code}:\n${this.lines.slice(-10).join('\n')}`)),
      );
    });
  }

  private commandLine(): string[] {
    const { options } = this;
    const settings: Record<string, string> = {
      bind: this.host,
      port: options.tls ? '0' : String(this.port),
      dir: this.folder,
      save: '',
      appendonly: options.aof ? 'yes' : 'no',
      appendfsync: 'always',
    };
    if (this.certificates) {
      settings['tls-port'] = String(this.port);
      settings['tls-ca-cert-file'] = this.certificates.caFile;
      settings['tls-cert-file'] = this.certificates.certFile;
      settings['tls-key-file'] = this.certificates.keyFile;
      settings['tls-auth-clients'] = 'no';
    }
    if (options.password) settings.requirepass = options.password;
    const effective = options.configFile ? {} : { ...settings, ...options.settings };
    return [
      ...(options.configFile ? [options.configFile] : []),
      ...Object.entries(effective).flatMap(([name, value]) => [`--${name}`, value]),
      ...(options.mode ?? []),
    ];
  }

  async cli(...args: string[]): Promise<string> {
    const connection = ['-h', this.host, '-p', String(this.port), '-e'];
    if (this.certificates) connection.push('--tls', '--cacert', this.certificates.caFile);
    const env = { ...redisEnvironment(), ...(this.password ? { REDISCLI_AUTH: this.password } : {}) };
    const { stdout } = await promisify(execFile)(redisBinary('cli'), [...connection, ...args], { env });
    return stdout.replace(/\r?\n$/, '');
  }

  async stop(): Promise<void> {
    if (!this.child) return;
    // A paused process takes its SIGTERM only when it is resumed.
    this.resume();
    await this.child.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.child?.end('SIGKILL');
  }

  pause(): void {
    this.child?.process.kill('SIGSTOP');
  }

  resume(): void {
    if (!this.child?.hasExited()) this.child?.process.kill('SIGCONT');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  hasEnded(): boolean {
    return this.child?.hasExited() ?? true;
  }

  output(): string {
    return this.lines.join('\n');
  }
}

function redisBinary(kind: 'server' | 'cli'): string {
  if (!server) {
    throw new Error(
      'no redis-server: run `npm test`, which finds or fetches one, or wrap the suite in describeRedis',
    );
  }
  if (kind === 'server') return server;
  // redis-cli lies beside redis-server, valkey-cli beside valkey-server.
  return join(dirname(server), basename(server).replace(/server$/, 'cli'));
}

function redisEnvironment(): NodeJS.ProcessEnv {
  const libraries = process.env.TEST_REDIS_LIBS;
  return { ...process.env, ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) };
}

export interface ContractRedis {
  url: string;
  /** Empties it. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const LOCK_KEY = 'gatehouse:test:lock';

/**
 * The Redis the store's contract suite runs on: the caller's own (REDIS_URL), in a database of it that was empty
 * and is left empty, else a server of our own. This is how a suite is run on a managed or a newer Redis.
 */
export async function contractRedis(): Promise<ContractRedis> {
  if (!sharedUrl) {
    const redis = await startRedis();
    return {
      url: redis.url,
      flush: async () => void (await redis.cli('FLUSHALL')),
      stop: () => redis.stop(),
    };
  }
  const client = new Redis(sharedUrl, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  await client.connect();
  const database = await claimEmptyDatabase(client);
  const url = new URL(sharedUrl);
  url.pathname = `/${database}`;
  return {
    url: url.href,
    flush: async () => void (await client.multi().flushdb().set(LOCK_KEY, 'taken', 'EX', 3600).exec()),
    stop: async () => {
      await client.flushdb();
      client.disconnect();
    },
  };
}

/** Never a database with anything in it: it is going to be flushed. */
async function claimEmptyDatabase(client: Redis): Promise<number> {
  for (let database = 15; database > 0; database--) {
    await client.select(database);
    if ((await client.set(LOCK_KEY, 'taken', 'EX', 3600, 'NX')) !== 'OK') continue;
    if ((await client.dbsize()) === 1) return database;
    await client.del(LOCK_KEY);
  }
  throw new Error('REDIS_URL: none of the databases 1 to 15 is empty, and the tests flush no other');
}
