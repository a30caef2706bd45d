import { hash } from 'node:crypto';
import type { SharedResponses } from '#libs/store';
import { variantKey, type CacheKey } from './cache-key';
import { pack, packVary, unpack, unpackVary } from './packed-response';
import type { StoredResponse } from './stored-response';

/** Larger bodies are each replica's own: while one is on its way, every other command of the process waits. */
const MAX_SHARED_BYTES = 131_072;
/** No response is kept for longer. */
const MAX_RETENTION_MS = 86_400_000;

/** What the look-up found, and by which mark what is stored for the same URI from now on must be known. */
export interface SharedFind {
  readonly response: StoredResponse | undefined;
  readonly mark: string;
}

/** Responses that replicas share through Redis. Whatever fails there is as if nothing were stored. */
export class SharedTier {
  /** @param maxBytes for each tenant. */
  constructor(
    private readonly responses: SharedResponses,
    private readonly maxBytes: number,
  ) {}

  get available(): boolean {
    return this.responses.available;
  }

  async find(tenantId: string, key: CacheKey, headers: readonly string[]): Promise<SharedFind | undefined> {
    try {
      const { primary, uri } = key;
      const { value, mark } = await this.responses.get(tenantId, digest(uri), digest(primary));
      const packed = valid(value, mark);
      const vary = packed && unpackVary(packed);
      if (!vary) return { response: packed && unpack(packed), mark };
      const variant = await this.responses.get(tenantId, digest(uri), variantDigest(primary, vary, headers));
      const chosen = valid(variant.value, variant.mark);
      return { response: chosen && unpack(chosen), mark: variant.mark };
    } catch {
      return undefined;
    }
  }

  /** @param mark as it was found before the upstream was asked. */
  async put(
    tenantId: string,
    key: CacheKey,
    headers: readonly string[],
    response: StoredResponse,
    mark: string,
  ): Promise<void> {
    if (response.body.length > MAX_SHARED_BYTES) return;
    const ttlMs = Math.min(Math.ceil(response.retention(Date.now())), MAX_RETENTION_MS);
    if (ttlMs <= 0) return;
    const { vary } = response.terms;
    const [uri, primary] = [digest(key.uri), digest(key.primary)];
    const packed = pack(response);
    try {
      const store = (id: string, value: Buffer): Promise<void> =>
        this.responses.put({ tenantId, uri, id, mark }, marked(mark, value), ttlMs, this.maxBytes);
      if (vary.length === 0) return await store(primary, packed);
      await store(primary, packVary(vary));
      await store(variantDigest(key.primary, vary, headers), packed);
    } catch {
      // The memory of this process has it.
    }
  }

  /** Forgets what is stored for a tenant. @throws StoreUnavailableError */
  drop(tenantId: string): Promise<void> {
    return this.responses.drop(tenantId);
  }

  size(tenantId: string): Promise<{ entries: number; bytes: number }> {
    return this.responses.size(tenantId);
  }

  /** Nothing that was stored for these URIs is found any more, here or in another replica. */
  async invalidate(tenantId: string, uris: readonly string[]): Promise<void> {
    await Promise.all(
      uris.map((uri) => this.responses.invalidate(tenantId, digest(uri), uri).catch(() => undefined)),
    );
  }
}

/** What is stored under a mark that is not that of its URI any more was invalidated. */
function marked(mark: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${mark}\n`), value]);
}

function valid(value: Buffer | undefined, mark: string): Buffer | undefined {
  const own = Buffer.from(`${mark}\n`);
  return value?.subarray(0, own.length).equals(own) ? value.subarray(own.length) : undefined;
}

function digest(key: string): string {
  return hash('sha256', key, 'base64url').slice(0, 32);
}

function variantDigest(primary: string, vary: readonly string[], headers: readonly string[]): string {
  return digest(`${primary}\n${vary.join(' ')}\n${variantKey(vary, headers)}`);
}
