import type { Redis } from 'ioredis';
import { EventEmitter } from 'node:events';
import type { Logger } from '#libs/logging';
import { StoreUnavailableError } from '../store';
import { RedisHealth } from './redis-health';

/** A connection that answers pings, or does not. */
class FakeRedis extends EventEmitter {
  status = 'ready';
  answers = true;
  pings = 0;
  redials = 0;

  ping(): Promise<string> {
    this.pings += 1;
    return this.answers ? Promise.resolve('PONG') : Promise.reject(new Error('Command timed out'));
  }

  disconnect(): void {
    this.redials += 1;
    this.emit('close');
  }
}

/** As ioredis throws it: with the command. */
const replyError = (message: string): Error =>
  Object.assign(new Error(message), {
    name: 'ReplyError',
    command: { name: 'set', args: ['key', 'secret'] },
  });
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const timeOut = (): Promise<never> => Promise.reject(new Error('Command timed out'));

describe('the health of Redis', () => {
  let redis: FakeRedis;
  let health: RedisHealth;
  let lines: [level: string, fields: object][];

  beforeEach(() => {
    jest.useFakeTimers();
    lines = [];
    const write = (level: string) => (fields: object) => void lines.push([level, fields]);
    const logger = { info: write('info'), warn: write('warn'), error: write('error') };
    redis = new FakeRedis();
    health = new RedisHealth(redis as unknown as Redis, logger as unknown as Logger, 'redis.test:6379', 400);
  });
  afterEach(() => {
    health.close();
    jest.useRealTimers();
  });

  it('is starting until it has been reached once, and away ever after when it cannot be', async () => {
    let reached = false;
    void health.ready().then(() => (reached = true));
    expect(health.state).toBe('starting');
    redis.emit('close');
    expect(health.state).toBe('starting');
    await expect(health.run(() => Promise.resolve(1))).rejects.toThrow(StoreUnavailableError);
    expect(reached).toBe(false);
    redis.emit('ready');
    await pass(0);
    expect([health.state, reached]).toEqual(['ready', true]);
    redis.emit('close');
    expect(health.state).toBe('away');
    redis.emit('ready');
    expect(health.state).toBe('ready');
    expect(lines.map(([level]) => level)).toEqual(['info', 'error', 'info']);
  });

  it.each<[error: Error, unavailable: boolean, message?: string]>([
    [replyError('WRONGTYPE Operation against a key'), false],
    [
      replyError('ERR Error running script (call to f_1): @user_script:2: WRONGTYPE Operation against a key'),
      false,
      'WRONGTYPE Operation against a key',
    ],
    [replyError('READONLY You can not write against a read only replica.'), true],
    [replyError('OOM command not allowed'), true],
    [replyError('NOPERM this user has no permissions'), true],
    [new Error('Connection is closed.'), true],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), true],
  ])('takes %p for a store that is away: %p', async (error, unavailable, message = error.message) => {
    redis.emit('ready');
    const thrown: unknown = await health.run(() => Promise.reject(error)).catch((reason: unknown) => reason);
    expect(thrown instanceof StoreUnavailableError).toBe(unavailable);
    if (unavailable) expect((thrown as Error).cause).toBe(error);
    else expect({ ...(thrown as Error), message: (thrown as Error).message }).toEqual({ message });
    // One refusal says nothing of the connection.
    expect(health.state).toBe('ready');
  });

  it('takes a command that throws at once for one that fails', async () => {
    redis.emit('ready');
    const command = (): Promise<never> => {
      throw new TypeError('no slot');
    };
    await expect(health.run(command)).rejects.toThrow(StoreUnavailableError);
  });

  describe('after a command that went unanswered', () => {
    beforeEach(async () => {
      redis.emit('ready');
      redis.answers = false;
      await expect(health.run(timeOut)).rejects.toThrow(StoreUnavailableError);
    });

    it('is away until a ping is answered', async () => {
      expect(health.state).toBe('away');
      await pass(1000);
      expect(health.state).toBe('away');
      redis.answers = true;
      await pass(250);
      expect(health.state).toBe('ready');
      const { pings } = redis;
      await pass(10_000);
      expect(redis.pings).toBe(pings);
      expect(redis.redials).toBe(0);
    });

    it('dials anew when nothing comes for two seconds', async () => {
      await pass(2000);
      expect(redis.redials).toBe(0);
      await pass(500);
      expect(redis.redials).toBe(1);
      redis.emit('ready');
      expect(health.state).toBe('ready');
    });

    it('never hangs up while it is dialling', async () => {
      redis.status = 'connecting';
      await pass(60_000);
      expect(redis.redials).toBe(0);
      expect(health.state).toBe('away');
    });

    it('stops asking when it is closed', async () => {
      health.close();
      const { pings } = redis;
      await pass(10_000);
      expect(redis.pings).toBe(pings);
    });
  });

  it('is away when a command goes unanswered for as long as is allowed, and not before', async () => {
    redis.emit('ready');
    await pass(1000);
    const unanswered = health.run(() => new Promise(() => undefined)).catch((error: unknown) => error);
    await pass(300);
    const later = health.run(() => new Promise((resolve) => setTimeout(resolve, 99, 'done')));
    await pass(99);
    expect([health.state, await later]).toEqual(['ready', 'done']);
    await pass(101);
    expect(health.state).toBe('away');
    expect(await unanswered).toBeInstanceOf(StoreUnavailableError);
  });

  it('does not blame Redis for the time this process stood still', async () => {
    redis.emit('ready');
    const answered = health.run(() => new Promise((resolve) => setTimeout(resolve, 5000, 'done')));
    // As after a long pause: one turn of the loop, in which all timers are late and the answer is there.
    jest.setSystemTime(Date.now() + 60_000);
    await pass(399);
    expect(health.state).toBe('ready');
    redis.emit('close');
    await expect(answered).rejects.toThrow(StoreUnavailableError);
  });

  it('lets nobody wait for the rest of a time-out once it is away', async () => {
    redis.emit('ready');
    const waiting = [1, 2].map(() => health.run(() => new Promise(() => undefined)));
    const outcomes = Promise.allSettled(waiting);
    redis.answers = false;
    await expect(health.run(timeOut)).rejects.toThrow(StoreUnavailableError);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailableError) });
    }
  });

  it('complains of the same trouble every five seconds at most', async () => {
    for (let i = 0; i < 100; i++) {
      redis.emit('error', new Error('connect ECONNREFUSED'));
      await pass(100);
    }
    expect(lines).toEqual(
      Array.from({ length: 2 }, () => ['warn', { redis: 'redis.test:6379', reason: 'connect ECONNREFUSED' }]),
    );
  });
});
