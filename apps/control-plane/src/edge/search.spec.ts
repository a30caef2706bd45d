import { searched, type Listed } from './search';

interface Item {
  id: string;
  name: string;
}

const NAMES = ['Acme Corp', 'beta', 'The acme', 'Über-Straße', 'pacme'];
const items = (count: number): Item[] =>
  Array.from({ length: count }, (_, i) => ({
    id: String(i).padStart(5, '0'),
    name: NAMES[i % NAMES.length]!,
  }));

function listOf(all: Item[]) {
  const asked: number[] = [];
  const list = (after: string, limit: number): Promise<Listed<Item>> => {
    asked.push(limit);
    const rest = all.filter(({ id }) => id > after);
    return Promise.resolve({
      items: rest.slice(0, limit),
      next: rest.length > limit ? rest[limit - 1]!.id : undefined,
    });
  };
  return { list, asked };
}

const reading = { idOf: ({ id }: Item) => id, textsOf: ({ id, name }: Item) => [id, name] };

async function all(search: string | undefined, count: number, limit: number): Promise<string[]> {
  const { list } = listOf(items(count));
  const found: string[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: Listed<Item> = await searched(list, { search, after, limit }, reading);
    expect(page.items.length).toBeLessThanOrEqual(Math.max(limit, 200));
    found.push(...page.items.map(({ id }) => id));
    after = page.next;
  }
  return found;
}

it.each([
  ['acme', ['00000', '00002']],
  ['ACME C', ['00000']],
  ['corp', ['00000']],
  ['über', ['00003']],
  ['straße', ['00003']],
  ['00001', ['00001']],
  ['cme', []],
  [undefined, ['00000', '00001', '00002', '00003', '00004']],
])('%j finds %j', async (search, ids) => {
  expect(await all(search, 5, 50)).toEqual(ids);
});

it.each([1, 7, 200])('finds each once, whatever the size of the page (%s)', async (limit) => {
  const found = await all('acme', 5000, limit);
  expect(found).toEqual([...new Set(found)]);
  expect(found).toHaveLength(2000);
});

it('looks at so much at a time, and goes on from there', async () => {
  const { list, asked } = listOf(items(10_000));
  const page = await searched(list, { search: 'nobody', after: '', limit: 50 }, reading);
  expect(page).toEqual({ items: [], next: '01999' });
  expect(asked).toHaveLength(10);
});
