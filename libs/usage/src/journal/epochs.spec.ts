import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { scratchFolder, startChild } from '../../../../test/support/children';
import { listen } from '../../../../test/usage/stage';
import { Complaints } from './complaints';
import { Epochs } from './epochs';

const DEAD = '20260131T101502123Z-0123abcd';
const HOLDER = '20260131T101503000Z-00000001';

function setUp(root = join(scratchFolder('epochs'), 'journal')) {
  const { logger, logs } = listen();
  const state = { now: Date.now() };
  const clock = (): number => state.now;
  const another = (): Epochs => new Epochs(root, new Complaints(logger, clock), clock);
  return { root, state, logs, another, epochs: another() };
}

/** A folder as a process would have left it. */
function leave(root: string, name: string, owner: object | undefined): void {
  mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, name, '1.log'), 'content');
  if (owner) writeFileSync(join(root, name, 'owner'), JSON.stringify(owner));
}

const goneProcess = (): object => ({
  pid: spawnSync(process.execPath, ['-e', '0']).pid,
  startedAt: 'boot/1',
  host: hostname(),
});

it('is a folder of its own for each start, with its owner, for nobody else to read', () => {
  const { epochs, another } = setUp();
  epochs.make();
  epochs.make();
  another().make();
  expect(statSync(epochs.path).mode & 0o777).toBe(0o700);
  const owner = JSON.parse(readFileSync(join(epochs.path, 'owner'), 'utf8')) as Record<string, unknown>;
  expect(owner).toMatchObject({ pid: process.pid, host: hostname() });
  expect(readdirSync(join(epochs.path, '..'))).toHaveLength(2);
});

it('sorts by the time of the start', () => {
  const { state, another } = setUp();
  const names = [0, 1, 999, 86_400_000].map((ms) => {
    state.now = Date.UTC(2026, 0, 31) + ms;
    return another().epoch;
  });
  expect([...names].sort()).toEqual(names);
});

it('takes over what dead processes have left, and removes itself when nothing is left in it', () => {
  const { root, epochs } = setUp();
  leave(root, DEAD, goneProcess());
  expect(epochs.takeOver()).toEqual([{ epoch: DEAD, path: join(root, `${DEAD}~${epochs.epoch}`) }]);
  expect(readdirSync(root).sort()).toEqual([`${DEAD}~${epochs.epoch}`, epochs.epoch].sort());
  expect(readFileSync(join(root, `${DEAD}~${epochs.epoch}`, '1.log'), 'utf8')).toBe('content');
  epochs.release();
  expect(readdirSync(root)).toEqual([`${DEAD}~${epochs.epoch}`]);
});

it('makes no folder when there is nothing to take over', () => {
  const { root, epochs } = setUp();
  expect(epochs.takeOver()).toEqual([]);
  expect(existsSync(root)).toBe(false);
});

it('leaves a folder to the living: its own, that of another, and what that has taken over', () => {
  const { root, epochs, another } = setUp();
  epochs.make();
  leave(root, DEAD, goneProcess());
  const other = another();
  expect(other.takeOver()).toHaveLength(1);
  expect(epochs.takeOver()).toEqual([]);
  expect(other.takeOver()).toHaveLength(1);
  other.release();
  expect(epochs.takeOver()).toEqual([{ epoch: DEAD, path: join(root, `${DEAD}~${epochs.epoch}`) }]);
});

it('takes over from one that died while it held it', () => {
  const { root, epochs } = setUp();
  leave(root, HOLDER, goneProcess());
  leave(root, `${DEAD}~${HOLDER}`, goneProcess());
  expect(epochs.takeOver().map(({ epoch }) => epoch)).toEqual([DEAD, HOLDER]);
});

it('lets one of many have it', () => {
  const { root, another } = setUp();
  const owner = goneProcess();
  for (let i = 0; i < 20; i++) leave(root, `20260131T101502${100 + i}Z-0123abcd`, owner);
  const taken = [another(), another(), another()].map((epochs) => epochs.takeOver().length);
  expect(taken).toEqual([20, 0, 0]);
});

it.each<[string, () => object | undefined]>([
  ['has no owner any more', () => undefined],
  ['has an owner file that makes no sense', () => ['?']],
  ['is of a process that is gone', goneProcess],
  ['is of an earlier process with a number in use', () => ({ ...self(), startedAt: 'boot/1' })],
])('takes over a folder that %s', (_what, owner) => {
  const { root, epochs } = setUp();
  leave(root, DEAD, owner());
  expect(epochs.takeOver()).toHaveLength(1);
});

it.each<[string, () => object]>([
  ['another machine', () => ({ pid: 1, startedAt: 'boot/1', host: `not-${hostname()}` })],
  ['a living process whose start is not known', () => ({ pid: process.pid, host: hostname() })],
])('takes over a folder of %s only when that has been silent for five minutes', (_whose, owner) => {
  const { root, epochs, state } = setUp();
  leave(root, DEAD, owner());
  state.now += 4 * 60_000;
  expect(epochs.takeOver()).toEqual([]);
  const heartbeat = state.now / 1000;
  utimesSync(join(root, DEAD, 'owner'), heartbeat, heartbeat);
  state.now += 4 * 60_000;
  expect(epochs.takeOver()).toEqual([]);
  state.now += 2 * 60_000;
  expect(epochs.takeOver()).toHaveLength(1);
});

it('shows that it lives', () => {
  const { epochs, state } = setUp();
  epochs.make();
  state.now += 600_000;
  epochs.heartbeat();
  expect(statSync(join(epochs.path, 'owner')).mtimeMs).toBeCloseTo(state.now, -1);
});

/** Elsewhere the system does not say when a process has started. */
const itOnLinux = existsSync('/proc/self/stat') ? it : it.skip;

itOnLinux('knows a child that lives from one that was killed', async () => {
  const { root, epochs } = setUp();
  const child = await startChild(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'ignore' });
  leave(root, DEAD, { ...self(), pid: child.pid, startedAt: startOf(child.pid) });
  expect(epochs.takeOver()).toEqual([]);
  await child.end('SIGKILL');
  expect(epochs.takeOver()).toHaveLength(1);
});

it('leaves a folder alone whose owner it cannot find out, and goes on with the others', () => {
  const { root, epochs, logs } = setUp();
  leave(root, DEAD, undefined);
  mkdirSync(join(root, DEAD, 'owner'));
  leave(root, HOLDER, goneProcess());
  expect(epochs.takeOver().map(({ epoch }) => epoch)).toEqual([HOLDER]);
  expect(logs).toEqual([expect.objectContaining({ level: 'error', folder: join(root, DEAD) })]);
});

it('says why it cannot take over, and does not throw', () => {
  const root = join(scratchFolder('epochs'), 'journal');
  writeFileSync(root, 'a file');
  const { epochs, logs } = setUp(root);
  expect(epochs.takeOver()).toEqual([]);
  expect(logs).toEqual([expect.objectContaining({ level: 'error', folder: root })]);
});

/** This process, as it describes itself. */
function self(): object {
  const { epochs } = setUp();
  epochs.make();
  return JSON.parse(readFileSync(join(epochs.path, 'owner'), 'utf8')) as object;
}

/** Field 22 of /proc/<pid>/stat and the boot, read the simple way: the child's name has no spaces. */
function startOf(pid: number): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot}/${readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21]}`;
}
