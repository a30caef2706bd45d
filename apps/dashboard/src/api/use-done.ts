import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';

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
      await Promise.all(joined.split(',').map((key) => queries.invalidateQueries({ queryKey: [key] })));
      return result;
    },
    [queries, joined],
  );
}
