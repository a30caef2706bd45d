import { AuditLog } from '#libs/audit';
import { MetricsRegistry } from '#libs/metrics';
import { Revisions } from '#libs/revisions';
import { keys, type Store } from '#libs/store';
import { waitFor } from '../../../../test/support/children';
import { openEmbedded } from '../../../../test/support/embedded-store';
import type { ControlPlaneOptions } from '../control-plane.options';
import { ChainWatch } from './chain-watch';

describe('the chains, gone through by themselves', () => {
  let store: Store;
  let metrics: MetricsRegistry;
  let errors: object[];
  let watch: ChainWatch;
  beforeEach(async () => {
    store = await openEmbedded();
    metrics = new MetricsRegistry(1);
    errors = [];
    const logger = { error: (fields: object) => void errors.push(fields), warn: () => undefined };
    const audit = new AuditLog(store, logger, { maxEntries: 100 });
    const event = { actor: 'owner', action: 'tenant.update', requestId: 'r', ip: '192.0.2.1', status: 200 };
    for (let i = 0; i < 3; i++) await audit.record(event);
    const options = { metrics, logging: { logger } } as unknown as ControlPlaneOptions;
    watch = new ChainWatch(audit, new Revisions(store, 10), options);
  });
  afterEach(async () => {
    watch.stop();
    await store.close();
  });

  const series = async (): Promise<string[]> => (await metrics.render()).split('\n');
  const shows = (line: string) => waitFor(line, async () => (await series()).includes(line));

  it('show whether they are whole, again and again', async () => {
    watch.start(0, 10);
    await shows('control_chain_whole{chain="owners"} 1');
    await shows('control_chain_whole{chain="revisions"} 1');
    const key = keys.chainEntry('owners', 2);
    const text = (await store.documents.get(key)) ?? '';
    await store.documents.put(key, text.replace('192.0.2.1', '192.0.2.2'), 'any');
    await shows('control_chain_whole{chain="owners"} 0');
    expect(errors).toContainEqual(
      expect.objectContaining({ chain: 'owners', seq: 2, reason: 'has been changed' }),
    );
    await store.documents.put(key, text, 'any');
    await shows('control_chain_whole{chain="owners"} 1');
    const at = (await series()).find((line) => line.startsWith('control_chain_verified_timestamp_seconds'));
    expect(Number(at?.split(' ')[1])).toBeGreaterThan(Date.now() / 1000 - 60);
  });

  it('are left alone once it has ended', async () => {
    watch.start(0, 1);
    await shows('control_chain_whole{chain="owners"} 1');
    watch.stop();
    // Whatever is under way when the store goes is nobody's trouble.
    await store.close();
    expect(errors).toEqual([]);
    store = await openEmbedded();
  });
});
