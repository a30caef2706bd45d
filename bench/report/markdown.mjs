/**
 * The figures of a run as a page of tables.
 * @param {import('./results.mjs').Results} results
 */
export function toMarkdown(results) {
  const { date, commit, command, machine, versions, options, problems, verdicts } = results;
  const sections = [
    '# Measured',
    `${date}, commit ${commit}, by \`${command}\`: ${options.rounds} rounds of ${options.seconds} s, ${options.connections} connections, medians.`,
    `Machine: ${machine}. Versions: ${Object.entries(versions)
      .map((entry) => entry.join(' '))
      .join(', ')}.`,
    '[README.md](README.md) says how this is measured.',
  ];
  if (results.busyCores > 0.5)
    sections.push(
      `**The machine was busy before the run (load average ${results.busyCores.toFixed(1)}): latencies and throughput are too bad.**`,
    );
  if (options.quick)
    sections.push('**A quick run: it shows that everything works, its figures mean little.**');
  if (problems.length > 0)
    sections.push(
      `**INVALID: do not use these figures.**`,
      problems.map((problem) => `- ${problem}`).join('\n'),
    );
  if (results.peers) sections.push('## Peers', peersTable(results.peers));
  if (results.latency) sections.push('## Latency at half load', latencyTable(results.latency));
  if (results.stalls) sections.push(stallLine(results.stalls));
  if (results.scale) sections.push('## Scale', scaleTable(results.scale), memoryLine(results.scale.memory));
  if (results.bodies) sections.push('## Bodies', bodiesTable(results.bodies));
  sections.push('## Promises', verdictTable(verdicts));
  return `${sections.join('\n\n')}\n`;
}

/** @param {import('../suites/peers.mjs').PeerResult[]} peers */
function peersTable(peers) {
  return table(
    ['', 'version', 'CPU µs/request', '× Caddy', 'req/s', 'p50 ms', 'p99 ms', 'RSS MB', 'core used'],
    peers.map((peer) => [
      peer.title,
      peer.version,
      peer.cpuUsPerRequest.toFixed(1),
      peer.ratioToCaddy?.toFixed(2) ?? '–',
      count(peer.requestsPerSecond),
      milliseconds(peer.p50Us),
      milliseconds(peer.p99Us),
      megabytes(peer.rssBytes),
      `${Math.round(peer.cpuShare * 100)} %`,
    ]),
  );
}

/** @param {import('../suites/latency.mjs').LatencyResult[]} latency */
function latencyTable(latency) {
  return table(
    [
      '',
      'req/s sent',
      'p99 ms of the upstream alone',
      'p99 ms through the peer',
      'added p50 ms',
      'added p99 ms',
      'added p99 ms, median second',
      'generator late, p99 ms',
    ],
    latency.map((peer) => [
      peer.title,
      count(peer.rate),
      milliseconds(peer.directP99Us),
      milliseconds(peer.throughP99Us),
      milliseconds(peer.addedP50Us),
      milliseconds(peer.addedP99Us),
      milliseconds(peer.steadyP99Us),
      milliseconds(peer.sentLateP99Us),
    ]),
  );
}

/** @param {NonNullable<import('./results.mjs').Results['stalls']>} stalls */
function stallLine({ coreP99Us, loadCoreP99Us, maxUs }) {
  return `The machine with nothing to do but to look at the clock: a random moment finds the core of the server standing still for ${milliseconds(coreP99Us)} ms, that of the load for ${milliseconds(loadCoreP99Us)} ms (p99), at the most ${milliseconds(maxUs)} ms.`;
}

/** @param {NonNullable<import('./results.mjs').Results['scale']>} scale */
function scaleTable({ sizes }) {
  return table(
    ['Gatehouse, full path, with', 'CPU µs/request', '× the smallest', 'req/s', 'RSS MB'],
    sizes.map((size) => [
      `${count(size.count)} ${size.what}`,
      size.cpuUsPerRequest.toFixed(1),
      size.ratioToSmallest.toFixed(2),
      count(size.requestsPerSecond),
      megabytes(size.rssBytes),
    ]),
  );
}

/** @param {{ tenants: number, rssBytes: number }} memory */
function memoryLine({ tenants, rssBytes }) {
  return `RSS after load with ${count(tenants)} active tenants: ${megabytes(rssBytes)} MB.`;
}

/** @param {import('../suites/bodies.mjs').BodyResult[]} bodies */
function bodiesTable(bodies) {
  return table(
    ['', '', 'MB/s', 'CPU ms per 100 MB', 'peak RSS MB'],
    bodies.map((body) => [
      body.body,
      body.title,
      count(body.megabytesPerSecond),
      body.cpuMsPer100Megabytes.toFixed(1),
      megabytes(body.peakRssBytes),
    ]),
  );
}

/** @param {import('./targets.mjs').Verdict[]} verdicts */
function verdictTable(verdicts) {
  return table(
    ['', 'found', ''],
    verdicts.map(({ promise, found, met }) => [
      promise,
      found,
      met === null ? '' : met ? 'kept' : '**missed**',
    ]),
  );
}

/**
 * First column left, figures right.
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  );
}

/** @param {number} value */
function count(value) {
  return Math.round(value).toLocaleString('en-US');
}

/** @param {number} micros */
function milliseconds(micros) {
  return (micros / 1_000).toFixed(2);
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1e6).toFixed(0);
}
