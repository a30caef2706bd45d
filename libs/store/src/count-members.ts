import type { Documents } from './store';

const PAGE = 1000;

/** How many members an ordered index has; a call for every thousand. */
export async function countMembers(documents: Pick<Documents, 'indexPage'>, index: string): Promise<number> {
  let count = 0;
  let page = await documents.indexPage(index, '', PAGE);
  for (; page.length === PAGE; count += PAGE)
    page = await documents.indexPage(index, page.at(-1) ?? '', PAGE);
  return count + page.length;
}
