import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';

interface Asked<Page, Row> {
  key: readonly unknown[];
  load: (cursor: string | undefined) => Promise<Page>;
  rows: (page: Page) => readonly Row[];
  next: (page: Page) => string | null | undefined;
  enabled?: boolean;
}

/** A list that the gateway hands out page by page. A page may be short, or empty, and still have another after it. */
export function usePages<Page, Row>({ key, load, rows, next, enabled = true }: Asked<Page, Row>) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => load(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => next(page) ?? undefined,
    enabled,
  });
  const { data, fetchNextPage, hasNextPage, isFetchingNextPage } = query;
  const all = useMemo(() => data?.pages.flatMap((page) => [...rows(page)]) ?? [], [data]); // eslint-disable-line react-hooks/exhaustive-deps
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  return {
    rows: all,
    first: data?.pages[0],
    isPending: query.isPending && enabled,
    error: query.error,
    retry: () => void query.refetch(),
    more: { has: hasNextPage, busy: isFetchingNextPage, load: more },
  };
}
