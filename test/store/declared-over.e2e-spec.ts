import { declaredOver, type Declarations } from '#libs/declarations';
import { GatewayError } from '#libs/errors';
import { keys, type Store } from '#libs/store';
import { describeStores } from './stores';

interface Declared {
  text: string | undefined;
  file: string;
}

/** Declarations by hand, and a way to change them. */
function declarations(texts: Record<string, string | undefined>, indexes: Record<string, string[]>) {
  const documents = new Map<string, Declared>(
    Object.entries(texts).map(([key, text]) => [key, { text, file: 'acme.yaml' }]),
  );
  const listeners: Array<(key: string) => void> = [];
  const snapshot = {
    get: (key: string) => documents.get(key),
    keys: () => documents.keys(),
    members: (index: string) => indexes[index] ?? [],
  } as unknown as Declarations['snapshot'];
  return {
    snapshot,
    subscribe: (listener: (key: string) => void) => void listeners.push(listener),
    close: () => undefined,
    announce: (key: string) => listeners.forEach((listener) => listener(key)),
  };
}

const INDEX = keys.TENANT_INDEX;

describeStores(
  'declared documents over a store',
  (stage) => {
    let store: Store;
    let over: Store;
    let declared: ReturnType<typeof declarations>;

    beforeAll(async () => {
      store = await stage.open();
      declared = declarations(
        { 'tenant:b': 'declared', 'tenant:d': 'declared', 'tenant:publication:b': undefined },
        { [INDEX]: ['b', 'd'] },
      );
      over = declaredOver(store, declared);
      for (const id of ['a', 'b', 'c']) {
        await store.documents.put(keys.tenant(id), 'stored', 'any');
        await store.documents.indexAdd(INDEX, id);
      }
      await store.documents.put(keys.publication('b'), 'stored', 'any');
    });

    it('are read in the place of the stored ones, which are there as ever', async () => {
      const read = (key: string): Promise<string | undefined> => over.documents.get(key);
      expect(await Promise.all(['tenant:a', 'tenant:b', 'tenant:c', 'tenant:d', 'tenant:e'].map(read))).toEqual(
        ['stored', 'declared', 'stored', 'declared', undefined],
      ); // prettier-ignore
      expect(await store.documents.get('tenant:b')).toBe('stored');
      // Declared to be nothing.
      expect(await read('tenant:publication:b')).toBeUndefined();
    });

    it('are listed in order with the stored ones, once each', async () => {
      expect(await over.documents.indexPage(INDEX, '', 10)).toEqual(['a', 'b', 'c', 'd']);
      expect(await over.documents.indexPage(INDEX, '', 2)).toEqual(['a', 'b']);
      expect(await over.documents.indexPage(INDEX, 'b', 2)).toEqual(['c', 'd']);
      expect(await over.documents.indexPage(INDEX, 'd', 2)).toEqual([]);
      const scanned: string[] = [];
      for await (const key of over.documents.scan('tenant:')) scanned.push(key);
      expect(scanned.sort()).toEqual(['tenant:a', 'tenant:b', 'tenant:c', 'tenant:d']);
    });

    it('are not written, and their file is named', async () => {
      const refused = new GatewayError('declared_in_file', 'it is declared in acme.yaml: change it there');
      for (const expected of ['any', 'absent', { version: 'x' }] as const) {
        await expect(over.documents.put('tenant:b', 'x', expected)).rejects.toThrow(refused);
        await expect(over.documents.delete('tenant:b', expected)).rejects.toThrow(refused);
      }
      await expect(over.documents.put('tenant:publication:b', 'x', 'any')).rejects.toThrow(refused);
      expect(await store.documents.get('tenant:b')).toBe('stored');
      expect(await over.documents.put('tenant:e', 'x', 'absent')).toBe(true);
      expect(await over.documents.delete('tenant:e', 'any')).toBe(true);
    });

    it('leave the indexes of the store alone', async () => {
      await over.documents.indexAdd(INDEX, 'd');
      await over.documents.indexRemove(INDEX, 'b');
      expect(await store.documents.indexPage(INDEX, '', 10)).toEqual(['a', 'b', 'c']);
    });

    it('change among the other changes', async () => {
      const heard: (string | undefined)[] = [];
      over.changes.subscribe((key) => heard.push(key));
      declared.announce('tenant:b');
      expect(heard).toEqual(['tenant:b']);
      await over.documents.put('tenant:a', 'again', 'any');
      await over.changes.acknowledged(5000);
      expect(heard).toContain('tenant:a');
      expect(over.changes.epoch).toBe(store.changes.epoch);
      expect(over.changes.trustMs).toBe(store.changes.trustMs);
      expect(over.state).toBe('ready');
    });
  },
  ['embedded', 'standalone'],
);
