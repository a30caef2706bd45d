import { versionOf, type Expected } from '#libs/store';
import { describeStores, type OpenedStore } from './stores';

/** Keys are made of what operators and other programs call their tenants. */
const ODD_KEYS = [
  'tenant:with space',
  'tenant:"quoted"\'s',
  'tenant:back\\slash',
  'tenant:glob*?[a-z]^',
  'tenant:{brace}}{',
  'tenant:new\nline\r\ttab',
  'tenant:ümlaut:日本語',
  'tenant:😀',
  'tenant:%00%2f..//',
  `tenant:${'long'.repeat(250)}`,
  'tenant:\u{10fffd}',
];

const ODD_VALUES: [title: string, value: string][] = [
  ['empty', ''],
  ['JSON', '{"a":[1,2,{"b":"\\u0000\\"\\\\"}],"c":null}'],
  ['all planes of Unicode', 'aé€日本語😀\u{10ffff}\ufffd\u0301'],
  ['control characters', Array.from({ length: 31 }, (_unused, i) => String.fromCharCode(i + 1)).join('')],
  ['right-to-left and invisible', '\u202eabc\u200b\ufeff'],
  ['one megabyte', 'Zürich 😀 '.repeat(1_048_576 / 14).padEnd(1_048_576, '.')],
];

describeStores('documents', (stage) => {
  let store: OpenedStore;
  let sequence = 0;
  /** A key nobody has used before. */
  const fresh = (): string => `tenant:fresh-${++sequence}`;

  beforeAll(async () => void (store = await stage.open()));

  it('are absent until they are put, and again after they are deleted', async () => {
    const key = fresh();
    expect(await store.documents.get(key)).toBeUndefined();
    expect(await store.documents.put(key, 'one', 'any')).toBe(true);
    expect(await store.documents.get(key)).toBe('one');
    expect(await store.documents.delete(key, 'any')).toBe(true);
    expect(await store.documents.get(key)).toBeUndefined();
  });

  const right: Expected = { version: versionOf('stored') };
  const wrong: Expected = { version: versionOf('something else') };
  it.each<[operation: 'put' | 'delete', stored: string | undefined, expected: Expected, done: boolean]>([
    ['put', undefined, 'absent', true],
    ['put', undefined, 'any', true],
    ['put', undefined, right, false],
    ['put', 'stored', 'absent', false],
    ['put', 'stored', 'any', true],
    ['put', 'stored', right, true],
    ['put', 'stored', wrong, false],
    ['put', 'stored', { version: versionOf('stored').toUpperCase() }, false],
    ['put', 'stored', { version: '' }, false],
    ['delete', undefined, 'absent', false],
    ['delete', undefined, 'any', false],
    ['delete', undefined, right, false],
    ['delete', 'stored', 'absent', false],
    ['delete', 'stored', 'any', true],
    ['delete', 'stored', right, true],
    ['delete', 'stored', wrong, false],
  ])('%s over %p expecting %p: %p', async (operation, stored, expected, done) => {
    const key = fresh();
    if (stored !== undefined) await store.documents.put(key, stored, 'any');
    const result =
      operation === 'put'
        ? await store.documents.put(key, 'new', expected)
        : await store.documents.delete(key, expected);
    expect(result).toBe(done);
    expect(await store.documents.get(key)).toBe(done ? (operation === 'put' ? 'new' : undefined) : stored);
  });

  it('let exactly one of 50 concurrent writers through, over several clients', async () => {
    const clients = [store, await stage.open(), await stage.open()];
    const race = async (run: (client: OpenedStore, writer: number) => Promise<boolean>): Promise<number> => {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_unused, writer) => run(clients[writer % 3] ?? store, writer)),
      );
      expect(results.filter(Boolean)).toHaveLength(1);
      return results.indexOf(true);
    };
    const key = fresh();
    const creator = await race((client, writer) => client.documents.put(key, `created ${writer}`, 'absent'));
    expect(await store.documents.get(key)).toBe(`created ${creator}`);
    const version = versionOf(`created ${creator}`);
    const changer = await race((client, writer) =>
      client.documents.put(key, `changed ${writer}`, { version }),
    );
    expect(await store.documents.get(key)).toBe(`changed ${changer}`);
    await race((client) => client.documents.delete(key, { version: versionOf(`changed ${changer}`) }));
    await store.documents.put(key, 'again', 'absent');
    await race((client) => client.documents.delete(key, 'any'));
  });

  it('count to 50 when 50 writers each read, add one and try again if they were overtaken', async () => {
    const key = fresh();
    const clients = [store, await stage.open()];
    await store.documents.put(key, '0', 'absent');
    const increment = async (client: OpenedStore): Promise<void> => {
      // Each round lets one writer through, so 50 rounds are enough for the last one.
      for (let round = 0; round < 50; round++) {
        const text = (await client.documents.get(key)) ?? '';
        const next = String(Number(text) + 1);
        if (await client.documents.put(key, next, { version: versionOf(text) })) return;
      }
      throw new Error('overtaken 50 times');
    };
    await Promise.all(
      Array.from({ length: 50 }, (_unused, writer) => increment(clients[writer % 2] ?? store)),
    );
    expect(await store.documents.get(key)).toBe('50');
  });

  it.each(ODD_VALUES)('give back exactly what was put: %s', async (_title, value) => {
    const key = fresh();
    await store.documents.put(key, value, 'absent');
    expect((await store.documents.get(key)) === value).toBe(true);
    // The version is computed next to the data, from the same bytes.
    expect(await store.documents.put(key, 'next', { version: versionOf(value) })).toBe(true);
  });

  it('take keys with odd characters, each for itself, and find them by scanning', async () => {
    for (const key of ODD_KEYS)
      expect(await store.documents.put(key, `value of ${key}`, 'absent')).toBe(true);
    for (const key of ODD_KEYS) expect(await store.documents.get(key)).toBe(`value of ${key}`);
    const found = new Set<string>();
    for await (const key of store.documents.scan('tenant:')) found.add(key);
    expect(ODD_KEYS.filter((key) => !found.has(key))).toEqual([]);
    for (const key of ODD_KEYS) expect(await store.documents.delete(key, 'any')).toBe(true);
  });

  it('are scanned by prefix, literally and without an end at a thousand', async () => {
    const inside = Array.from({ length: 2500 }, (_unused, i) => `scan*[x]:${i}`);
    const outside = ['scan', 'scan*[x]', 'scanning[x]:1', 'scan*x:1', 'scan*[y]:1', 'Scan*[x]:1'];
    await Promise.all([...inside, ...outside].map((key) => store.documents.put(key, '', 'any')));
    const found = new Set<string>();
    for await (const key of store.documents.scan('scan*[x]:')) found.add(key);
    expect([...found].sort()).toEqual([...inside].sort());
    await Promise.all([...inside, ...outside].map((key) => store.documents.delete(key, 'any')));
    for await (const key of store.documents.scan('scan')) throw new Error(`${key} is still there`);
  });

  it('that other programs wrote are read, compared and replaced like our own', async () => {
    const key = fresh();
    await stage.premises.foreign.set(key, '{"by": "hand"}');
    expect(await store.documents.get(key)).toBe('{"by": "hand"}');
    expect(await store.documents.put(key, 'no', { version: versionOf('{"by":"hand"}') })).toBe(false);
    expect(await store.documents.put(key, 'yes', { version: versionOf('{"by": "hand"}') })).toBe(true);
    await stage.premises.foreign.delete(key);
    expect(await store.documents.get(key)).toBeUndefined();
  });
});

describeStores('indexes', (stage) => {
  let store: OpenedStore;
  beforeAll(async () => void (store = await stage.open()));

  it('are sorted by bytes, whatever the order of the additions', async () => {
    const members = ['b', 'a', 'B', '10', '9', 'é', 'z', '日', '😀', 'a b', 'a\nb', 'aa', '~', '-', '\uffee'];
    for (const member of members) await store.documents.indexAdd('sorted', member);
    const byBytes = [...members].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    expect(await store.documents.indexPage('sorted', '', 100)).toEqual(byBytes);
    expect(await store.documents.indexPageBack('sorted', '', 100)).toEqual([...byBytes].reverse());
    expect(await store.documents.indexPage('sorted', '日', 100)).toEqual(
      byBytes.slice(byBytes.indexOf('日') + 1),
    );
  });

  it('are read page by page, each member once', async () => {
    const members = Array.from({ length: 257 }, (_unused, i) => `m${String(i).padStart(4, '0')}`);
    await Promise.all([...members].reverse().map((member) => store.documents.indexAdd('paged', member)));
    const pages: string[][] = [];
    for (let after = ''; ; after = pages.at(-1)?.at(-1) ?? '') {
      const page = await store.documents.indexPage('paged', after, 100);
      if (page.length === 0) break;
      pages.push(page);
    }
    expect(pages.map((page) => page.length)).toEqual([100, 100, 57]);
    expect(pages.flat()).toEqual(members);
    // A page goes on from where its name would be, also when that is gone.
    await store.documents.indexRemove('paged', 'm0099');
    expect(await store.documents.indexPage('paged', 'm0099', 1)).toEqual(['m0100']);
    const backwards: string[] = [];
    for (let before = ''; ;) {
      const page = await store.documents.indexPageBack('paged', before, 100);
      backwards.push(...page);
      before = page.at(-1) ?? '';
      if (page.length === 0) break;
    }
    expect(backwards).toEqual([...members].filter((member) => member !== 'm0099').reverse());
    expect(await store.documents.indexSize('paged')).toBe(members.length - 1);
    expect(await store.documents.indexSize('never there')).toBe(0);
    expect(await store.documents.indexPageBack('never there', '', 1)).toEqual([]);
  });

  it('hold a member once and forget it when told', async () => {
    await Promise.all(['x', 'x', 'y', 'x'].map((member) => store.documents.indexAdd('once', member)));
    expect(await store.documents.indexPage('once', '', 10)).toEqual(['x', 'y']);
    await store.documents.indexRemove('once', 'x');
    await store.documents.indexRemove('once', 'never there');
    expect(await store.documents.indexPage('once', '', 10)).toEqual(['y']);
    await store.documents.indexAdd('other', 'z');
    await store.documents.indexDrop('once');
    await store.documents.indexDrop('never there');
    expect(await store.documents.indexPage('once', '', 10)).toEqual([]);
    expect(await store.documents.indexPage('other', '', 10)).toEqual(['z']);
  });

  it('are the same for every client', async () => {
    const other = await stage.open();
    await store.documents.indexAdd('common', 'one');
    await other.documents.indexAdd('common', 'two');
    expect(await store.documents.indexPage('common', '', 10)).toEqual(['one', 'two']);
    expect(await other.documents.indexPage('common', 'one', 10)).toEqual(['two']);
  });
});
