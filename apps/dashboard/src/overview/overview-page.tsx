import { Unplug } from 'lucide-react';
import { useLive } from '../api/live';
import { useMay } from '../session/may';
import { ReplicasCard, StoreCard } from './fleet-cards';
import { LiveBadge } from './live-badge';
import { LiveCharts } from './live-charts';
import { TargetsCard } from './targets-card';
import { TopTenants } from './top-tenants';
import { EmptyState, LoadingRows, Notice } from '../ui/states';
import { Card, Columns, Page, Stat, Stats } from '../ui/surface';
import { compact, counted, milliseconds, percent, rate } from '../ui/format';
import type { Overview } from '../api/types';

/** The gateway at a glance, a second old: of everything for administrators, of what is theirs for tenants. */
export function OverviewPage() {
  const all = useMay()('Overview.stream');
  const { state, overview, history } = useLive(all ? '/admin/live' : '/me/live');
  return (
    <Page
      title="Overview"
      lead={all ? 'All tenants, over all replicas' : 'Your traffic, over all replicas'}
      actions={<LiveBadge state={state} />}
    >
      {state === 'store_away' && (
        <Notice tone="warn">
          The store cannot be reached. Requests are still served; these figures stand still.
        </Notice>
      )}
      {overview ? (
        <>
          <Headline overview={overview} />
          <LiveCharts history={history} />
          {all ? (
            <>
              <Columns>
                <TopTenants tenants={overview.tenants} />
                <StoreCard overview={overview} />
              </Columns>
              <TargetsCard overview={overview} all />
              <ReplicasCard replicas={overview.replicas} />
            </>
          ) : (
            <TargetsCard overview={overview} />
          )}
        </>
      ) : (
        <Card bare>
          {state === 'lost' || state === 'store_away' ? (
            <EmptyState icon={<Unplug size={18} aria-hidden />} title="No live figures">
              {state === 'lost' ? 'The gateway does not send them at the moment.' : 'They need the store.'}{' '}
              Trying again …
            </EmptyState>
          ) : (
            <LoadingRows rows={6} />
          )}
        </Card>
      )}
    </Page>
  );
}

function Headline({ overview: { now, total, inflight, openStreams } }: { overview: Overview }) {
  const { p50, p95, p99 } = now.latencyMs;
  return (
    <Stats>
      <Stat label="Requests per second" note={`${compact(total.requests)} in all`}>
        {rate(now.requestsPerSecond)}
      </Stat>
      <Stat label="Errors" note={`${compact(total.errors)} in all`}>
        {percent(now.errorRatio)}
      </Stat>
      <Stat label="Limited" note={`${compact(total.limited)} in all`}>
        {percent(now.limitedRatio)}
      </Stat>
      <Stat label="Refused" note={`${compact(total.refused)} in all`}>
        {percent(now.refusedRatio)}
      </Stat>
      <Stat label="Latency, median" note={`p95\u00a0${milliseconds(p95)} · p99\u00a0${milliseconds(p99)}`}>
        {milliseconds(p50)}
      </Stat>
      <Stat label="Under way" note={openStreams === null ? undefined : counted(openStreams, 'stream')}>
        {inflight === null ? '–' : compact(inflight)}
      </Stat>
    </Stats>
  );
}
