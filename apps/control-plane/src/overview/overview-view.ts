import type { Store } from '#libs/store';
import type { Lookout, ReplicaView, Sight, UsageBacklog } from '#libs/vitals';
import type { OverviewDto } from './overview.dto';

/** What is shown of the store itself. */
export type ShownStore = Pick<Store, 'kind' | 'state'>;

/** @param scope a tenant, or empty for all. */
export function overviewView(
  lookout: Lookout,
  sight: Sight,
  scope: string,
  store: ShownStore,
  withHistory: boolean,
): OverviewDto {
  const overview = lookout.overview(sight, scope);
  const all = scope === '';
  return {
    ...overview,
    ...(withHistory && { history: lookout.history(sight, scope) }),
    tenants: [...overview.tenants],
    replicas: [...overview.replicas],
    targets: [...overview.targets],
    store: all ? { kind: store.kind, state: store.state, latencyMs: sight.latencyMs } : null,
    usageBacklog: all ? backlogOf(overview.replicas) : null,
  };
}

function backlogOf(replicas: readonly ReplicaView[]): UsageBacklog {
  const backlog = { batches: 0, oldestSeconds: 0, journalErrors: 0 };
  for (const { usageBacklog } of replicas) {
    backlog.batches += usageBacklog.batches;
    backlog.oldestSeconds = Math.max(backlog.oldestSeconds, usageBacklog.oldestSeconds);
    backlog.journalErrors += usageBacklog.journalErrors;
  }
  return backlog;
}
