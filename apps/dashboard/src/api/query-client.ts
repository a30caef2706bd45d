import { QueryClient } from '@tanstack/react-query';
import { comesBack, isOffline } from './problem';

const FRESH_MS = 5000;
const ASK_AGAIN_MS = 3000;

/** A refusal is an answer and is not asked for again; a gateway or a store that is away is, until it is back. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      networkMode: 'always',
      retry: (failures, error) => comesBack(error) && !isOffline(error) && failures < 1,
      refetchInterval: ({ state }) => (comesBack(state.error) ? ASK_AGAIN_MS : false),
    },
    mutations: { networkMode: 'always' },
  },
});
