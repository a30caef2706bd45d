import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';

/**
 * What is on the page is asked for anew. What only other pages have shown is forgotten: a page opened after a change
 * never shows, not even for a moment, what was there before it.
 * @param key first word of the queries; all of them without one.
 */
export async function askAnew(queries: QueryClient, key?: string): Promise<void> {
  const about = key === undefined ? {} : { queryKey: [key] };
  queries.removeQueries({ ...about, type: 'inactive' });
  await queries.invalidateQueries(about);
}

/**
 * After a change what it is about is asked for anew, before the change counts as done: what is seen then is what there is.
 * @param keys first words of the queries.
 */
export function useDone(...keys: readonly string[]) {
  const queries = useQueryClient();
  const joined = keys.join();
  return useCallback(
    async <T>(answer: Promise<T>): Promise<T> => {
      const result = await answer;
      await Promise.all(joined.split(',').map((key) => askAnew(queries, key)));
      return result;
    },
    [queries, joined],
  );
}
