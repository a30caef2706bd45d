import { waitFor } from '../../../test/support/children';
import { openEmbedded } from '../../../test/support/embedded-store';
import { VITALS_BOARD } from './boards';
import { Lookout, type Sight } from './lookout';

it('shows nothing where somebody says what nobody understands, and does not end the process for it', async () => {
  const store = await openEmbedded();
  const lookout = new Lookout(store);
  const told: Array<Sight | undefined> = [];
  // As a version to come might write it, without another form.
  await store.notes.put(VITALS_BOARD, 'a', JSON.stringify({ form: 1, id: 'a' }), 60_000);
  const watching = lookout.watch('', (sight) => {
    if (sight) lookout.overview(sight, '');
    told.push(sight);
  });
  await waitFor('a word', () => told.length > 0);
  expect(told).toEqual([undefined]);
  watching.end();
  await store.close();
});
