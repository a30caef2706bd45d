import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';

/** What is asked of a list beside what it is about. */
export interface PageAsked {
  limit: number;
  cursor?: string;
}

/** What comes after what is there. */
export interface More {
  has: boolean;
  busy: boolean;
  /** It was asked for and refused: not asked for again by itself. */
  failed: boolean;
  /** How many pages are there: that is what tells one fetch from the next where both are over at once. */
  pages: number;
  load: () => void;
}

interface Asked<Page, Row> {
  key: readonly unknown[];
  load: (page: PageAsked) => Promise<Page>;
  rows: (page: Page) => readonly Row[];
  next: (page: Page) => string | null | undefined;
  enabled?: boolean;
  /** Asked for anew so often, for what changes by itself. */
  watchMs?: number;
}

const ROWS = 100;

/** A list that the gateway hands out page by page. A page may be short, or empty, and still have another after it. */
export function usePages<Page, Row>({ key, load, rows, next, enabled = true, watchMs }: Asked<Page, Row>) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => load({ limit: ROWS, ...(pageParam && { cursor: pageParam }) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => next(page) ?? undefined,
    enabled,
    ...(watchMs !== undefined && { refetchInterval: watchMs }),
  });
  const { data, fetchNextPage, hasNextPage, isFetchingNextPage, isFetchNextPageError } = query;
  const all = useMemo(() => data?.pages.flatMap((page) => [...rows(page)]) ?? [], [data]); // eslint-disable-line react-hooks/exhaustive-deps
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  return {
    rows: all,
    first: data?.pages[0],
    isPending: query.isPending && enabled,
    error: query.error,
    retry: () => void query.refetch(),
    more: {
      has: hasNextPage,
      busy: isFetchingNextPage,
      failed: isFetchNextPageError,
      pages: data?.pages.length ?? 0,
      load: more,
    } satisfies More,
  };
}
