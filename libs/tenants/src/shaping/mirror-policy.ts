import { HeaderChanges } from './header-changes';

/** A second upstream that gets copies of requests, and whose answers nobody sees. */
export interface MirrorPolicy {
  /** Where copies go, as an upstream's URL; or `service`. */
  url?: string;
  /** Id of a service of the same tenant. */
  service?: string;
  /** Of the requests, on average; absent means 100. */
  percent?: number;
  /** Upper-case methods; absent: GET, HEAD and OPTIONS. Others do things twice, so they have to be named. */
  methods?: string[];
  /** Requests with longer bodies are not copied; absent means 65536. */
  maxBodyBytes?: number;
  /** For connecting, answering and the body together; absent means 5000. */
  timeoutMs?: number;
  /** Headers set on copies, by name; an empty text removes one. */
  headers?: Record<string, string>;
  /** Whether copies carry `Authorization` and `Cookie`; absent: they do not. */
  credentials?: boolean;
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];
const DEFAULT_MAX_BODY_BYTES = 65_536;
const DEFAULT_TIMEOUT_MS = 5000;
/** Failures in a row after which a mirror gets nothing, and for how long. */
const MAX_FAILURES = 10;
const PAUSE_MS = 30_000;

/** A mirror compiled for the request path, with what this process knows about it. */
export class ServedMirror {
  /** Of the upstream that gets copies; undefined where a service is meant. */
  readonly url: string | undefined;
  readonly service: string | undefined;
  readonly share: number;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
  readonly headers: HeaderChanges | undefined;
  readonly credentials: boolean;
  private readonly methods: ReadonlySet<string>;
  private failures = 0;
  private pausedUntil = 0;

  constructor(policy: MirrorPolicy) {
    const { url, service, percent = 100, methods = SAFE_METHODS, headers } = policy;
    this.url = url;
    this.service = service;
    this.share = percent / 100;
    this.methods = new Set(methods);
    this.maxBodyBytes = policy.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
    this.timeoutMs = policy.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.headers = headers && new HeaderChanges(headers);
    this.credentials = policy.credentials ?? false;
  }

  /** Whether requests of this method may be copied. */
  isFor(method: string): boolean {
    return this.methods.has(method);
  }

  takes(method: string): boolean {
    return this.isFor(method) && (this.share >= 1 || Math.random() < this.share);
  }

  /** Whether it fails so much that it is left in peace. @param now monotonic milliseconds. */
  isPaused(now: number): boolean {
    return this.pausedUntil > now;
  }

  /**
   * Takes note of how a copy ended. After its pause the first failure is enough for the next one.
   * @returns true if it is paused by that.
   */
  note(failed: boolean, now: number): boolean {
    if (!failed) {
      this.failures = 0;
      return false;
    }
    this.failures += 1;
    if (this.failures < MAX_FAILURES || this.isPaused(now)) return false;
    this.pausedUntil = now + PAUSE_MS;
    return true;
  }
}
