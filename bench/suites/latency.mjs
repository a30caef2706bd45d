import { measure, warmUp } from '../load/measure.mjs';
import { runOpenLoop } from '../load/open-loop.mjs';
import { measureStalls } from '../load/stalls.mjs';
import { PATH, choosePeers } from '../peers/index.mjs';
import { median } from '../report/statistics.mjs';
import { startPeers } from './peers.mjs';

/** Not nginx and HAProxy: half of what they can do is more than a generator on one core can send on time. */
const PEERS = ['gatehouse-full', 'gatehouse-bare', 'caddy', 'fastify', 'express'];

/**
 * @typedef {object} LatencyResult
 * @property {string} id
 * @property {string} title
 * @property {number} rate          requests per second that were sent: half of what the peer can take
 * @property {number} directP99Us   the upstream alone at that rate
 * @property {number} throughP99Us  through the peer
 * @property {number} addedP50Us
 * @property {number} addedP99Us    median over the rounds of the difference within a round
 * @property {number} steadyP99Us   the same of p99 by the second, the median second of a round: where a core is taken away for
 *   20 ms once in a while, that is the p99 of a few seconds, and says nothing of the proxy
 * @property {number} sentLateP99Us how late the generator was: what it adds to both
 * @property {{ direct: import('../load/open-loop.mjs').OpenLoopResult, through: import('../load/open-loop.mjs').OpenLoopResult }[]} rounds
 */

/**
 * What the machine itself adds, by the median round: where that is milliseconds, no figure below is smaller.
 * @param {import('../stage/index.mjs').Stage} stage
 */
export async function measureMachine({ options }) {
  const rounds = [];
  for (let round = 0; round < options.rounds; round++) rounds.push(await measureStalls(options));
  return {
    coreP99Us: median(rounds.map(({ coreP99Us }) => coreP99Us)),
    loadCoreP99Us: median(rounds.map(({ loadCoreP99Us }) => loadCoreP99Us)),
    maxUs: Math.max(...rounds.map(({ maxUs }) => maxUs)),
  };
}

/**
 * What a proxy adds to latency at half of the load that it can take, where no queue hides the difference.
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {import('./peers.mjs').PeerResult[]} [known]  throughputs measured earlier in this run
 * @returns {Promise<LatencyResult[]>}
 */
export async function compareLatency(stage, known = []) {
  const running = await startPeers(stage, choosePeers(stage, PEERS));
  try {
    const halves = [];
    for (const peer of running) {
      const target = { ...peer, request: { path: PATH, headers: peer.headers } };
      await warmUp(stage, target);
      const most = known.find(({ id }) => id === peer.id) ?? (await measure(stage, target));
      halves.push({
        peer,
        rate: Math.round(most.requestsPerSecond / 2),
        rounds: /** @type {LatencyResult['rounds']} */ ([]),
      });
    }
    for (let round = 0; round < stage.options.rounds; round++) {
      for (const { peer, rate, rounds } of halves) rounds.push(await measurePair(stage, peer, rate));
    }
    return halves.map(summarise);
  } finally {
    await Promise.all(running.map((peer) => peer.stop()));
  }
}

/**
 * The upstream and the peer, one right after the other, at the same rate.
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {import('../peers/index.mjs').RunningPeer} peer
 * @param {number} rate
 */
async function measurePair({ options, upstream, invalid }, { title, origin, headers }, rate) {
  const load = { rate, seconds: options.seconds, connections: options.connections, core: options.loadCore };
  const direct = await runOpenLoop({ ...load, origin: upstream.origin, request: { path: PATH, headers } });
  const through = await runOpenLoop({ ...load, origin, request: { path: PATH, headers } });
  for (const { errors } of [direct, through])
    if (errors > 0) invalid(`${title} at ${rate} req/s: ${errors} errors`);
  console.error(
    `${title} at ${rate} req/s: p99 ${through.p99Us} µs, upstream alone ${direct.p99Us} µs; by the second ${through.secondsP99Us.join(', ')} µs`,
  );
  return { direct, through };
}

/**
 * @param {{ peer: import('../peers/index.mjs').RunningPeer, rate: number, rounds: LatencyResult['rounds'] }} half
 * @returns {LatencyResult}
 */
function summarise({ peer: { id, title }, rate, rounds }) {
  return {
    id,
    title,
    rate,
    directP99Us: median(rounds.map(({ direct }) => direct.p99Us)),
    throughP99Us: median(rounds.map(({ through }) => through.p99Us)),
    addedP50Us: median(rounds.map(({ direct, through }) => through.p50Us - direct.p50Us)),
    addedP99Us: median(rounds.map(({ direct, through }) => through.p99Us - direct.p99Us)),
    steadyP99Us: median(
      rounds.map(({ direct, through }) => median(through.secondsP99Us) - median(direct.secondsP99Us)),
    ),
    sentLateP99Us: median(rounds.map(({ direct }) => direct.sentLateP99Us)),
    rounds,
  };
}
