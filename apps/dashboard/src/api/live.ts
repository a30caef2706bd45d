import { useEffect, useState } from 'react';
import { api, endSession } from './client';
import { isStoreAway } from './problem';
import { setReachable } from './reachable';
import type { HistoryPoint, Overview } from './types';

export interface Live {
  state: 'connecting' | 'live' | 'store_away' | 'lost';
  overview: Overview | undefined;
  history: readonly HistoryPoint[];
}

/** Five minutes of points of a second; the older ones, of five seconds, come with the first event. */
const KEPT_MS = 5 * 60_000;
const NOTHING: Live = { state: 'connecting', overview: undefined, history: [] };

const AGAIN_MS = 3000;

/**
 * Follows the live figures for as long as the page is shown. A connection that breaks is made again by the browser; one
 * that was refused is not, and is tried again here.
 */
export function useLive(path: string): Live {
  const [live, setLive] = useState<Live>(NOTHING);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => setLive(NOTHING), [path]);
  useEffect(() => {
    let again: ReturnType<typeof setTimeout> | undefined;
    const source = new EventSource(path);
    source.addEventListener('overview', (event: MessageEvent<string>) => {
      const overview = JSON.parse(event.data) as Overview;
      setReachable(true);
      setLive(({ history }) => ({ state: 'live', overview, history: extend(history, overview) }));
    });
    source.addEventListener('away', () => setLive((now) => ({ ...now, state: 'store_away' })));
    source.addEventListener('end', (event: MessageEvent<string>) => {
      const { code } = JSON.parse(event.data) as { code: string };
      setLive((now) => ({ ...now, state: 'lost' }));
      if (code === 'shutdown') return;
      source.close();
      endSession();
    });
    source.onerror = () => {
      setLive((now) => ({ ...now, state: 'lost' }));
      if (source.readyState !== EventSource.CLOSED) return;
      // An event source does not say why; this does. Where the session is over, it leads to the sign-in page.
      api.GET('/dashboard/session').catch((error: unknown) => {
        if (isStoreAway(error)) setLive((now) => ({ ...now, state: 'store_away' }));
      });
      again = setTimeout(() => setAttempt((count) => count + 1), AGAIN_MS);
    };
    return () => {
      clearTimeout(again);
      source.close();
    };
  }, [path, attempt]);
  return live;
}

function extend(
  history: readonly HistoryPoint[],
  { history: fresh, point }: Overview,
): readonly HistoryPoint[] {
  const base = fresh ?? history;
  const last = base.at(-1);
  const points = last && last.at >= point.at ? base : [...base, point];
  const oldest = Date.parse(point.at) - KEPT_MS;
  return points.filter(({ at }) => Date.parse(at) >= oldest);
}
