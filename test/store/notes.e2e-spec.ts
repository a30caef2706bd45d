import type { NoteBoard, RecentBoard, RecentEntry } from '#libs/store';
import { waitFor } from '../support/children';
import { describeStores, type OpenedStore } from './stores';

const BOARD: NoteBoard = { key: 'gatehouse:{test-notes}', max: 3 };
const RECENT: RecentBoard = { key: 'gatehouse:{test-recents}', max: 6, ms: 60_000 };

describeStores(
  'notes and recent entries',
  (stage) => {
    let store: OpenedStore;
    let other: OpenedStore;
    beforeAll(async () => {
      store = await stage.open();
      other = await stage.open();
    });

    it('notes are seen by every process, in the place of earlier ones, until they are deleted', async () => {
      await store.notes.put(BOARD, 'a', 'first', 60_000);
      await store.notes.put(BOARD, 'a', 'sécond', 60_000);
      await other.notes.put(BOARD, 'b', '', 60_000);
      expect(await other.notes.get(BOARD, 'a')).toBe('sécond');
      expect(await store.notes.get(BOARD, 'b')).toBe('');
      expect(Object.fromEntries(await store.notes.all(BOARD))).toEqual({ a: 'sécond', b: '' });
      await other.notes.delete(BOARD, 'a');
      await other.notes.delete(BOARD, 'nobody');
      expect(await store.notes.get(BOARD, 'a')).toBeUndefined();
      expect([...(await other.notes.all(BOARD)).keys()]).toEqual(['b']);
    });

    it('notes are gone after their time, which a new one under the name begins anew', async () => {
      const board = { ...BOARD, key: 'gatehouse:{test-times}' };
      await store.notes.put(board, 'short', 'x', 50);
      await store.notes.put(board, 'renewed', 'x', 50);
      await store.notes.put(board, 'renewed', 'y', 60_000);
      await waitFor('its end', async () => (await store.notes.get(board, 'short')) === undefined);
      expect(await store.notes.renew(board, 'short', 60_000)).toBe(false);
      expect(await other.notes.renew(board, 'renewed', 90)).toBe(true);
      expect([...(await store.notes.all(board))]).toEqual([['renewed', 'y']]);
      await waitFor('the other end', async () => (await store.notes.all(board)).size === 0);
    });

    it('notes make room for new ones when there are too many, those first that go first', async () => {
      const board = { ...BOARD, key: 'gatehouse:{test-room}' };
      for (const [name, ms] of [['long', 90_000], ['short', 10_000], ['longer', 95_000], ['new', 50_000]] as const)
        await store.notes.put(board, name, name, ms); // prettier-ignore
      expect([...(await other.notes.all(board)).keys()].sort()).toEqual(['long', 'longer', 'new']);
    });

    const entry = (id: string, group: string): RecentEntry => ({ id, group, text: `${group} ${id}` });
    const ids = async (group?: string, before = '', limit = 10, board = RECENT): Promise<string[]> =>
      (await store.recents.page(board, group, before, limit)).map(({ id }) => id);

    it('entries are listed from the newest, of one group or all, page by page', async () => {
      await store.recents.add(RECENT, [entry('1', 'a'), entry('2', 'b'), entry('3', 'a')], () => 5);
      await store.recents.add(RECENT, [entry('4', '')], () => 5);
      expect(await ids()).toEqual(['4', '3', '2', '1']);
      expect(await ids('a')).toEqual(['3', '1']);
      expect(await ids('')).toEqual(['4']);
      expect(await ids('nobody')).toEqual([]);
      expect(await ids(undefined, '4', 2)).toEqual(['3', '2']);
      expect(await ids('a', '3', 2)).toEqual(['1']);
      expect(await store.recents.page(RECENT, 'b', '', 1)).toEqual([{ id: '2', text: 'b 2' }]);
      expect(await store.recents.get(RECENT, '2')).toBe('b 2');
      expect(await store.recents.get(RECENT, '9')).toBeUndefined();
    });

    it('entries of a group that has many push out its own, and of all together the oldest go', async () => {
      const board = { ...RECENT, key: 'gatehouse:{test-pushed}' };
      const add = (entries: RecentEntry[]): Promise<void> =>
        store.recents.add(board, entries, (group) => (group === 'noisy' ? 2 : 4));
      await add([entry('01', 'quiet')]);
      await add(['02', '03', '04', '05'].map((id) => entry(id, 'noisy')));
      await add([entry('06', 'noisy')]);
      expect(await ids(undefined, '', 10, board)).toEqual(['06', '05', '01']);
      await add(['07', '08', '09', '10'].map((id) => entry(id, id)));
      expect(await ids(undefined, '', 10, board)).toEqual(['10', '09', '08', '07', '06', '05']);
      expect(await ids('quiet', '', 10, board)).toEqual([]);
      expect(await store.recents.get(board, '01')).toBeUndefined();
    });
  },
  ['embedded', 'standalone', 'cluster'],
);
