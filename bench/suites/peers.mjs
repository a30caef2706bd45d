import { measure, warmUp } from '../load/measure.mjs';
import { probe } from '../load/request.mjs';
import { PATH, choosePeers } from '../peers/index.mjs';
import { median } from '../report/statistics.mjs';

/**
 * One line of the comparison: medians over the rounds.
 * @typedef {object} PeerResult
 * @property {string} id
 * @property {string} title
 * @property {string} version
 * @property {number} requestsPerSecond
 * @property {number} p50Us
 * @property {number} p99Us
 * @property {number} cpuUsPerRequest
 * @property {number} cpuShare
 * @property {number} rssBytes
 * @property {number | null} ratioToCaddy   median of the ratios of each round, so that a slow minute hits both alike
 * @property {import('../load/measure.mjs').Sample[]} rounds
 */

/**
 * All peers under as much load as they take, in turns.
 * @param {import('../stage/index.mjs').Stage} stage
 * @returns {Promise<PeerResult[]>}
 */
export async function comparePeers(stage) {
  const running = await startPeers(stage, choosePeers(stage));
  try {
    const rounds = await interleave(stage, running);
    return running.map(({ id, title, version }) => {
      const samples = rounds.map((round) => sampleOf(round, id));
      const middle = (/** @type {keyof import('../load/measure.mjs').Sample} */ field) =>
        median(samples.map((sample) => sample[field]));
      return {
        id,
        title,
        version,
        requestsPerSecond: middle('requestsPerSecond'),
        p50Us: middle('p50Us'),
        p99Us: middle('p99Us'),
        cpuUsPerRequest: middle('cpuUsPerRequest'),
        cpuShare: middle('cpuShare'),
        rssBytes: middle('rssBytes'),
        ratioToCaddy: ratioToCaddy(rounds, id),
        rounds: samples,
      };
    });
  } finally {
    await Promise.all(running.map((peer) => peer.stop()));
  }
}

/**
 * Starts peers and makes sure that each forwards. One that cannot be started is left out loudly, and the run is invalid.
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {import('../peers/index.mjs').Peer[]} peers
 */
export async function startPeers(stage, peers) {
  const running = [];
  for (const peer of peers) {
    console.error(`starting ${peer.title}`);
    try {
      const started = await peer.start(stage);
      running.push(started);
      await probe(started.origin, { path: PATH, headers: started.headers }, stage.upstream.smallBody);
    } catch (error) {
      stage.invalid(
        `${peer.title} does not forward: ${error instanceof Error ? error.message : String(error)}`,
      );
      const broken = running.findIndex(({ id }) => id === peer.id);
      if (broken !== -1) await running.splice(broken, 1)[0]?.stop();
    }
  }
  return running;
}

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {import('../peers/index.mjs').RunningPeer[]} peers
 */
async function interleave(stage, peers) {
  const targets = peers.map((peer) => ({ ...peer, request: { path: PATH, headers: peer.headers } }));
  for (const target of targets) {
    console.error(`warming up ${target.title}`);
    await warmUp(stage, target);
  }
  /** @type {Map<string, import('../load/measure.mjs').Sample>[]} */
  const rounds = [];
  for (let round = 0; round < stage.options.rounds; round++) {
    const samples = new Map();
    for (const target of targets) {
      const sample = await measure(stage, target);
      samples.set(target.id, sample);
      console.error(
        `round ${round + 1}: ${target.title}: ${sample.cpuUsPerRequest.toFixed(1)} µs, ${sample.requestsPerSecond.toFixed(0)} req/s`,
      );
    }
    rounds.push(samples);
  }
  return rounds;
}

/**
 * @param {Map<string, import('../load/measure.mjs').Sample>[]} rounds
 * @param {string} id
 */
function ratioToCaddy(rounds, id) {
  if (!rounds.every((round) => round.has('caddy'))) return null;
  return median(
    rounds.map((round) => sampleOf(round, id).cpuUsPerRequest / sampleOf(round, 'caddy').cpuUsPerRequest),
  );
}

/**
 * @param {Map<string, import('../load/measure.mjs').Sample>} round
 * @param {string} id
 */
function sampleOf(round, id) {
  return /** @type {import('../load/measure.mjs').Sample} */ (round.get(id));
}
