import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';

/** Query parameter of lists that can be searched. */
export const Search =
  (what: string): PropertyDecorator =>
  (target, name) => {
    ApiPropertyOptional({
      type: String,
      maxLength: 100,
      description: `Only those of which ${what} begins with this, whatever the case. A page may be short, even empty, and have a next one.`,
    })(target, name);
    IsOptional()(target, name);
    IsString()(target, name);
    MaxLength(100)(target, name);
  };

/** A part of a list, and where to go on if there is more. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

const BATCH = 200;
/** Items that one page looks at: some tens of milliseconds, and whoever searches comes again for more. */
const MAX_LOOKS = 2000;

/**
 * A page of what matches. There is no index of names: other programs may write the documents, and keep none.
 * @param list a page of everything, after the item of that id.
 * @param search absent: everything matches.
 */
export async function searched<T>(
  list: (after: string, limit: number) => Promise<Listed<T>>,
  { search, after, limit }: { search: string | undefined; after: string; limit: number },
  { idOf, textsOf }: { idOf: (item: T) => string; textsOf: (item: T) => Iterable<string> },
): Promise<Listed<T>> {
  if (search === undefined || search === '') return list(after, limit);
  const sought = search.toLowerCase();
  const found: T[] = [];
  let position: string | undefined = after;
  for (let looked = 0; looked < MAX_LOOKS && position !== undefined; looked += BATCH) {
    const { items, next }: Listed<T> = await list(position, BATCH);
    for (const item of items) if (begins(textsOf(item), sought)) found.push(item);
    if (found.length > limit) {
      const page = found.slice(0, limit);
      return { items: page, next: idOf(page.at(-1) as T) };
    }
    position = next;
  }
  return { items: found, next: position };
}

/** Whether one of the texts, or a word within, begins so. */
function begins(texts: Iterable<string>, sought: string): boolean {
  for (const text of texts) {
    const lower = text.toLowerCase();
    if (lower.startsWith(sought)) return true;
    for (let at = lower.indexOf(sought, 1); at > 0; at = lower.indexOf(sought, at + 1))
      if (!/[\p{L}\p{N}]/u.test(lower[at - 1] as string)) return true;
  }
  return false;
}
