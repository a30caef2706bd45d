import { GatewayError } from '#libs/errors';
import type { ApiKeyRecord, ApiKeyRepository } from '#libs/tenants';

/** Enough to fill a pipeline, few enough not to hold up requests. */
const BATCH = 50;

/** What API keys are called that only their ids are known of. */
export class KnownKeys {
  constructor(private readonly apiKeys: ApiKeyRepository) {}

  /** Those that there still are, by id: a revoked key has left no record, one of another program never had any. */
  async find(tenantId: string, ids: readonly string[]): Promise<Map<string, ApiKeyRecord>> {
    const found = new Map<string, ApiKeyRecord>();
    for (let i = 0; i < ids.length; i += BATCH) {
      const records = ids.slice(i, i + BATCH).map((id) => this.record(tenantId, id));
      for (const record of await Promise.all(records)) if (record) found.set(record.id, record);
    }
    return found;
  }

  private async record(tenantId: string, id: string): Promise<ApiKeyRecord | undefined> {
    try {
      return (await this.apiKeys.get(tenantId, id)).record;
    } catch (error) {
      if (error instanceof GatewayError && error.status === 404) return undefined;
      throw error;
    }
  }
}
