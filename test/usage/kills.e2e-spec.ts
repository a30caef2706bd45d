import { scratchFolder, waitFor } from '../support/children';
import { describeStores } from '../store/stores';
import { accounts, counted, expectedAccounts, range, startRecorder, succeed } from './recorder';

/** `npm run bench:money` kills a whole gateway twenty times; here it is about every field of the ledgers. */
const KILLS = 6;

describeStores(
  'kill -9 in the middle of recording',
  (stage) => {
    it(`loses nothing that was recorded, ${KILLS} times, and counts nothing twice`, async () => {
      const env = { DATA_DIR: scratchFolder('journal'), ...stage.premises.env };
      const store = await stage.open(env);
      let total = 0;
      for (let round = 0; round < KILLS; round++) {
        const recorder = await startRecorder({ env, from: total, burst: 1 + 7 * (round % 5) });
        const enough = Math.floor(Math.random() * 800);
        await waitFor('some recordings', () => recorder.recorded() >= enough, 10_000, 1);
        await recorder.kill9();
        await succeed(store, env.DATA_DIR);
        const now = await counted(store);
        // The one that was in progress may be there or not; whichever it is, every field must say the same.
        expect(recorder.begun() - recorder.recorded()).toBeLessThanOrEqual(1);
        expect(now - total).toBeGreaterThanOrEqual(recorder.recorded());
        expect(now - total).toBeLessThanOrEqual(recorder.begun());
        total = now;
        expect({ round, ledgers: await accounts(store) }).toEqual({
          round,
          ledgers: expectedAccounts(range(0, total)),
        });
      }
      expect(total).toBeGreaterThan(KILLS);
    }, 120_000);

    it('hands on from one killed process to the next that is killed as well', async () => {
      const env = { DATA_DIR: scratchFolder('journal'), ...stage.premises.env };
      const store = await stage.open(env);
      const before = await counted(store);
      const numbers: number[] = [];
      for (let round = 0; round < 5; round++) {
        const from = 100_000 * round;
        const recorder = await startRecorder({ env, from, limit: 300 });
        await recorder.finished();
        await recorder.kill9();
        numbers.push(...range(from, from + 300));
      }
      await succeed(store, env.DATA_DIR);
      expect(await counted(store)).toBe(before + numbers.length);
    }, 60_000);
  },
  ['embedded', 'standalone'],
);
