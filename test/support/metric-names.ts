import { MetricsRegistry } from '#libs/metrics';

/** Every metric that a process can show, with what histograms make of their names. */
export async function metricNames(): Promise<Set<string>> {
  const metrics = new MetricsRegistry(1);
  metrics.watchStore({ state: 'ready', changes: { ageMs: 0, trustMs: 1 }, fleet: { size: 1 } });
  metrics.watchUsage({ backlogBatches: 0, backlogSince: 0, journalErrors: 0 });
  metrics.watchLimiter({ sharesTaken: 0 });
  metrics.watchKeySets({ keySetAges: () => [] });
  metrics.watchCertificates({ expiries: () => [] });
  metrics.watchLoad({
    slots: { inflight: 0, queued: 0, limit: 1 },
    connections: { open: 0 },
    delay: { latestMs: 0 },
  });
  metrics.proxyProtocolRefusals();
  metrics.watchEdge({ figures: { total: 0, forwarded: 0, rateLimited: 0, blocked: 0, activeClients: 0 } });
  metrics.watchTargets({ states: () => [] });
  metrics.watchDeclarations({ files: [], reloads: { success: 0, failure: 0 }, reloadedAt: 0 });
  metrics.webhooks.watch({ waiting: 0 });
  metrics.snapshotWrites();
  metrics.traceSpans();
  metrics.cache.watch({ bytes: 0, entries: 0, evictions: 0 });
  const shown = await metrics.registry.getMetricsAsJSON();
  return new Set(
    shown.flatMap(({ name, type }) =>
      String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

/** Names in a query that are neither functions, labels nor keywords: metrics of ours, or recording rules. */
export function namesIn(query: string): string[] {
  const bare = query
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\boffset\s+\w+/g, '')
    .replace(/\b(?:by|on|without|ignoring)\s*\([^)]*\)/g, '');
  const words = bare.match(/[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])/g) ?? [];
  return words.filter((word) => !/^(?:and|or|unless|bool|time|ALERTS)$/.test(word));
}
