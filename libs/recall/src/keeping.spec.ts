import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLogging } from '#libs/logging';
import { keys } from '#libs/store';
import { scratchFolder } from '../../../test/support/children';
import { openEmbedded } from '../../../test/support/embedded-store';
import { Keeping } from './keeping';
import { Remembered } from './remembered';
import { SnapshotFile } from './snapshot-file';

const { logger } = createLogging({ logLevel: 'silent' });

it.each([
  ['written', () => undefined],
  // Something else has that name.
  ['failed', (path: string) => void mkdirSync(join(path, 'in-the-way'), { recursive: true })],
])('says that what is remembered was %s', async (outcome, prepare) => {
  const store = await openEmbedded('acme');
  const remembered = new Remembered();
  remembered.note(keys.tenant('acme'), await store.documents.get(keys.tenant('acme')));
  const path = join(scratchFolder('snapshot'), 'config-snapshot.ndjson');
  prepare(path);
  const told: string[] = [];
  const file = new SnapshotFile(path, 'origin');
  const keeping = new Keeping(store, remembered, file, logger, (what) => void told.push(what));
  keeping.start();
  await keeping.stop();
  expect(told).toEqual([outcome]);
  expect(file.read() !== undefined).toBe(outcome === 'written');
  await store.close();
});
