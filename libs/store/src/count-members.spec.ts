import { countMembers } from './count-members';

/** An index with so many members. */
function indexOf(size: number) {
  const members = Array.from({ length: size }, (_, i) => String(i).padStart(6, '0'));
  const pages: number[] = [];
  const indexPage = (_index: string, after: string, limit: number): Promise<string[]> => {
    pages.push(limit);
    return Promise.resolve(members.filter((member) => member > after).slice(0, limit));
  };
  return { pages, indexPage };
}

it.each([
  [0, 1],
  [1, 1],
  [999, 1],
  [1000, 2],
  [1001, 2],
  [2500, 3],
])('counts %i members in %i pages', async (size, pages) => {
  const index = indexOf(size);
  expect(await countMembers(index, 'any')).toBe(size);
  expect(index.pages).toHaveLength(pages);
});
