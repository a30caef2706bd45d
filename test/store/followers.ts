import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { scratchFolder, startChild, type TestChild } from '../support/children';

const LIBS = resolve(__dirname, '../../dist/libs');

/**
 * A process that follows the changes as a data plane does, with the cache that data planes use. It answers each line
 * (a number and the name of a document) with what it would serve, and how often it has read from the store until then.
 */
const FOLLOWER = `
  const { loadConfig } = require('${LIBS}/config/src/index.js');
  const { openStore } = require('${LIBS}/store/src/index.js');
  const { FollowedCache } = require('${LIBS}/tenants/src/followed-cache.js');
  const store = openStore(loadConfig(process.env), { info() {}, warn() {}, error() {} });
  let reads = 0;
  const read = (name) => { reads += 1; return store.documents.get('tenant:' + name); };
  const cache = new FollowedCache(store, read, 1000, 3600_000);
  store.changes.subscribe((key) => cache.invalidate(key && key.slice('tenant:'.length)));
  const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\\n');
  require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
    const [number, name] = line.split(' ');
    const value = await Promise.resolve(name).then((name) => cache.get(name)).catch((error) => error.code);
    say({ number, value, reads });
  });
  process.on('SIGTERM', () => store.close().then(() => process.exit(0)));
  (async () => {
    await store.ready();
    await store.fleet.join();
    while (store.changes.trustMs === 0) await new Promise((done) => setTimeout(done, 5));
    say({ number: 'joined', value: store.fleet.id, reads });
  })();
`;

interface Served {
  /** The text, or the code of the error in its place. */
  readonly value: string | undefined;
  readonly reads: number;
}

/** A process that follows the changes of a store and is a member of its fleet. */
export interface Follower {
  /** What it is called in the fleet. */
  readonly id: string;
  readonly child: TestChild;
  /** What it serves now. */
  serve(name: string): Promise<Served>;
}

/** Starts a process that follows the store with these settings; it is a member when this resolves. */
export async function startFollower(env: Record<string, string>): Promise<Follower> {
  const child = await startChild(process.execPath, ['-e', FOLLOWER], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, DATA_DIR: scratchFolder('follower'), ...env },
  });
  const waiting = new Map<string, (answer: Served) => void>();
  createInterface({ input: child.process.stdout! }).on('line', (line) => {
    const answer = JSON.parse(line) as Served & { number: string };
    waiting.get(answer.number)?.(answer);
  });
  const answerTo = (number: string): Promise<Served> => new Promise((heard) => waiting.set(number, heard));
  const { value: id = '' } = await answerTo('joined');
  let asked = 0;
  return {
    id,
    child,
    serve(name) {
      const number = String((asked += 1));
      child.process.stdin!.write(`${number} ${name}\n`);
      return answerTo(number);
    },
  };
}

/** What each of them serves now, asked at once. */
export async function served(
  followers: readonly Follower[],
  name: string,
): Promise<Array<string | undefined>> {
  return (await Promise.all(followers.map((follower) => follower.serve(name)))).map(({ value }) => value);
}
