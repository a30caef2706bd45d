/**
 * vitals: what every data plane process is doing just now and which requests it has refused lately, and how that reaches
 * whoever looks: by notes in the store that each process leaves for itself while somebody looks, added up by who reads them.
 * Not here: metrics for Prometheus, usage that is billed, and the pages that show any of it.
 */
export { Vitals, type FinishedExchange } from './vitals';
export { VitalsReporter, type ProcessFacts } from './reporter';
export { Lookout, type Sight, type Watching } from './lookout';
export type {
  Figures,
  HistoryPoint,
  Overview,
  ReplicaView,
  TargetView,
  TenantFigures,
  UsageBacklog,
} from './overview';
export type { TargetNote } from './vitals-note';
export { RefusalRecorder, type RefusedRequest } from './refusal-recorder';
export { RefusalLog, type RefusalFilter, type RefusalRecord } from './refusal-log';
