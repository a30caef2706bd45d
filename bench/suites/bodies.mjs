import { measure, warmUp } from '../load/measure.mjs';
import { probe } from '../load/request.mjs';
import { choosePeers } from '../peers/index.mjs';
import { peakRssBytes, resetPeakRss } from '../process-usage.mjs';
import { median } from '../report/statistics.mjs';
import { BODY_BYTES } from '../stage/upstream.mjs';
import { startPeers } from './peers.mjs';

const PEERS = ['gatehouse-full', 'caddy', 'nginx'];

/** Fewer connections than for small answers: they are enough to fill the core, and eight uploads of 10 MiB are on their way at once. */
const CASES = [
  { title: '64 KiB response', path: '/api/v1/bodies/64KiB', download: BODY_BYTES['64KiB'], connections: 16 },
  { title: '10 MiB response', path: '/api/v1/bodies/10MiB', download: BODY_BYTES['10MiB'], connections: 8 },
  { title: '64 KiB upload', path: '/api/v1/uploads/small', upload: BODY_BYTES['64KiB'], connections: 16 },
  { title: '10 MiB upload', path: '/api/v1/uploads/large', upload: BODY_BYTES['10MiB'], connections: 8 },
];

/**
 * @typedef {object} BodyResult
 * @property {string} body
 * @property {string} id
 * @property {string} title
 * @property {number} megabytesPerSecond  10^6 bytes
 * @property {number} cpuMsPer100Megabytes
 * @property {number} peakRssBytes        the most in any round
 */

/**
 * Large bodies in both directions.
 * @param {import('../stage/index.mjs').Stage} stage
 * @returns {Promise<BodyResult[]>}
 */
export async function compareBodies(stage) {
  const running = await startPeers(stage, choosePeers(stage, PEERS));
  try {
    const results = [];
    for (const body of CASES) results.push(...(await compareBody(stage, running, body)));
    return results;
  } finally {
    await Promise.all(running.map((peer) => peer.stop()));
  }
}

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {import('../peers/index.mjs').RunningPeer[]} peers
 * @param {(typeof CASES)[number]} body
 * @returns {Promise<BodyResult[]>}
 */
async function compareBody(stage, peers, { title: bodyTitle, path, upload, download, connections }) {
  const method = upload === undefined ? 'GET' : 'POST';
  const measured = [];
  for (const peer of peers) {
    const target = {
      ...peer,
      title: `${peer.title}, ${bodyTitle}`,
      request: { method, path, headers: peer.headers, bodyBytes: upload },
    };
    await probe(peer.origin, target.request, download ?? stage.upstream.smallBody);
    await warmUp(stage, target, { connections });
    measured.push({ peer, target, rounds: /** @type {Round[]} */ ([]) });
  }
  for (let round = 0; round < stage.options.rounds; round++) {
    for (const { target, rounds } of measured)
      rounds.push(await measureRound(stage, target, connections, upload));
  }
  return measured.map(({ peer: { id, title }, rounds }) => ({
    body: bodyTitle,
    id,
    title,
    megabytesPerSecond: median(rounds.map((round) => round.megabytesPerSecond)),
    cpuMsPer100Megabytes: median(rounds.map((round) => round.cpuMsPer100Megabytes)),
    peakRssBytes: Math.max(...rounds.map((round) => round.peakRssBytes)),
  }));
}

/** @typedef {Pick<BodyResult, 'megabytesPerSecond' | 'cpuMsPer100Megabytes' | 'peakRssBytes'>} Round */

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {import('../load/measure.mjs').Target} target
 * @param {number} connections
 * @param {number} [upload]
 * @returns {Promise<Round>}
 */
async function measureRound(stage, target, connections, upload) {
  resetPeakRss(target.pid);
  const sample = await measure(stage, target, { connections });
  const bytesPerSecond = upload === undefined ? sample.bytesPerSecond : sample.requestsPerSecond * upload;
  const megabytesPerSecond = bytesPerSecond / 1e6;
  console.error(`${target.title}: ${megabytesPerSecond.toFixed(0)} MB/s`);
  return {
    megabytesPerSecond,
    cpuMsPer100Megabytes: (sample.cpuShare * 1_000 * 100) / megabytesPerSecond,
    peakRssBytes: peakRssBytes(target.pid),
  };
}
