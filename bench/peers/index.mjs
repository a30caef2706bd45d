import { caddy } from './caddy.mjs';
import { gatehouseBare, gatehouseFull } from './gatehouse.mjs';
import { haproxy } from './haproxy.mjs';
import { nginx } from './nginx.mjs';
import { express, fastify } from './node-stacks.mjs';

/**
 * Something that forwards requests and can be started.
 * @typedef {object} Peer
 * @property {string} id
 * @property {string} title
 * @property {readonly (keyof import('../prerequisites.mjs').Tools)[]} needs  programs without which it cannot be measured
 * @property {(stage: import('../stage/index.mjs').Stage) => Promise<RunningPeer>} start
 */

/**
 * @typedef {object} RunningPeer
 * @property {string} id
 * @property {string} title
 * @property {string} version
 * @property {number} pid
 * @property {string} origin
 * @property {Record<string, string>} headers  what a request must carry to be let through
 * @property {() => Promise<void>} stop        ends the peer and what was started for it
 */

/** @type {Peer[]} */
const PEERS = [gatehouseFull, gatehouseBare, caddy, nginx, haproxy, fastify, express];

/** Every request goes here; the gateways take `/api` away, the bare proxies pass it on, the upstream answers both. */
export const PATH = '/api/v1/orders/42';

/**
 * The peers that can run here and were asked for; says loudly which cannot.
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {string[]} [ids]
 * @returns {Peer[]}
 */
export function choosePeers({ options, tools }, ids = PEERS.map(({ id }) => id)) {
  const unknown = options.peers?.find((id) => !PEERS.some((peer) => peer.id === id));
  if (unknown !== undefined)
    throw new Error(`--peers knows ${PEERS.map(({ id }) => id).join(', ')}, not "${unknown}"`);
  return PEERS.filter(({ id, needs, title }) => {
    if (!ids.includes(id) || (options.peers !== undefined && !options.peers.includes(id))) return false;
    const missing = needs.filter((tool) => tools[tool] === undefined);
    if (missing.length > 0) console.error(`!!! ${title} is left out: ${missing.join(' and ')} missing`);
    return missing.length === 0;
  });
}
