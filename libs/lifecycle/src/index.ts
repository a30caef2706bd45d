/**
 * lifecycle: how a Gatehouse process starts, says how it is, and stops. Opens what every process needs (settings,
 * log, metrics, store, admin token), answers the probes, drains listeners, turns signals into one orderly end.
 * Not here: what the process serves.
 */
export { openResources, type Resources } from './resources';
export { Readiness } from './readiness';
export { probes } from './probes';
export { listen, drain, type Drainable, type DrainTerms } from './listener';
export { runProcess, type RunningProcess } from './run-process';
export { carriesAdminToken, resolveAdminToken } from './admin-token';
