import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { warnOfEviction } from './eviction';

/** A client that answers CONFIG GET as it is told, and what was warned of. */
function setUp(answer: () => Promise<unknown>) {
  const warnings: object[] = [];
  const client = Object.assign(new EventEmitter(), { config: answer, status: 'connecting' });
  warnOfEviction(
    client as unknown as Redis,
    { warn: (fields: object) => void warnings.push(fields) } as never,
  );
  const connect = async (): Promise<void> => {
    client.emit('ready');
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { warnings, connect };
}

it.each(['allkeys-lru', 'volatile-ttl'])('warns of %s, once however often it connects', async (policy) => {
  const { warnings, connect } = setUp(() => Promise.resolve(['maxmemory-policy', policy]));
  await connect();
  await connect();
  expect(warnings).toEqual([{ policy }]);
});

it.each<[what: string, answer: () => Promise<unknown>]>([
  ['nothing is evicted', () => Promise.resolve(['maxmemory-policy', 'noeviction'])],
  ['the setting is unknown', () => Promise.resolve([])],
  ['CONFIG is forbidden', () => Promise.reject(new Error('NOPERM'))],
])('says nothing where %s', async (_what, answer) => {
  const { warnings, connect } = setUp(answer);
  await connect();
  expect(warnings).toEqual([]);
});
