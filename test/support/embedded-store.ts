import { loadConfig } from '#libs/config';
import type { GatewayError } from '#libs/errors';
import { createLogging } from '#libs/logging';
import { keys, openStore, type Store } from '#libs/store';
import { scratchFolder } from './children';

/** An embedded store of its own, with tenants that have nothing optional; to be closed by the test. */
export async function openEmbedded(...tenantIds: string[]): Promise<Store> {
  const config = loadConfig({ DATA_DIR: scratchFolder('embedded') });
  const store = openStore(config, createLogging({ logLevel: 'silent' }).logger);
  for (const id of tenantIds) {
    const document = { id, name: id, upstreamBaseUrl: 'https://a.example', allowedRoutes: [] };
    await store.documents.put(keys.tenant(id), JSON.stringify(document), 'any');
  }
  return store;
}

/** The code of a refusal. */
export async function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'no refusal',
    (error: GatewayError) => error.code,
  );
}
