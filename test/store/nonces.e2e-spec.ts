import { waitFor } from '../support/children';
import { describeStores, type OpenedStore } from './stores';

describeStores(
  'nonces',
  (stage) => {
    let store: OpenedStore;
    beforeAll(async () => void (store = await stage.open()));

    it('are spent once, until they may be forgotten', async () => {
      const spend = async (key: string, ms: number): Promise<boolean> => store.nonces.spend(key, ms);
      const tries = await Promise.all([1, 2, 3].map(() => spend('gatehouse:{a}:nonce:k:1', 60_000)));
      expect(tries.filter(Boolean)).toHaveLength(1);
      expect(await spend('gatehouse:{a}:nonce:k:2', 60_000)).toBe(true);
      expect(await spend('gatehouse:{b}:nonce:k:1', 50)).toBe(true);
      await waitFor('the nonce to be forgotten', () => spend('gatehouse:{b}:nonce:k:1', 60_000));
    });

    it('say since when they are known', () => {
      expect(store.nonces.since).toBeLessThanOrEqual(Date.now());
      expect(store.kind === 'redis').toBe(store.nonces.since === 0);
    });
  },
  ['embedded', 'standalone', 'cluster'],
);
