import { RedisFleet } from './redis-fleet';
import type { RedisHealth } from './redis-health';
import type { RedisClient } from './scripts';

describe('the fleet', () => {
  let answer: number | Error;
  let fleet: RedisFleet;
  let beats: number;
  let reconnect: () => void;

  beforeEach(async () => {
    jest.useFakeTimers();
    beats = 0;
    answer = 1;
    const client = {
      on: (_event: string, listener: () => void) => void (reconnect = listener),
      zrem: () => Promise.resolve(1),
      gatehouseHeartbeat: async (): Promise<number> => {
        beats += 1;
        await Promise.resolve();
        if (answer instanceof Error) throw answer;
        return answer;
      },
    };
    const health = { run: (command: () => Promise<unknown>) => command() };
    fleet = new RedisFleet(client as unknown as RedisClient, health as unknown as RedisHealth);
    await fleet.join();
  });
  afterEach(() => jest.useRealTimers());

  /** What the next heartbeats find, for so many seconds. */
  async function pass(seconds: number, found: number | Error): Promise<void> {
    answer = found;
    await jest.advanceTimersByTimeAsync(seconds * 1000);
  }

  it('counts this process before it has reported, and beats every two seconds', async () => {
    expect(fleet.size).toBe(1);
    await pass(10, 1);
    expect(beats).toBe(6);
  });

  it('grows with the next heartbeat', async () => {
    await pass(2, 5);
    expect(fleet.size).toBe(5);
  });

  it('shrinks when fewer have been seen for as long as a silent one counts', async () => {
    await pass(2, 5);
    await pass(8, 3);
    expect(fleet.size).toBe(5);
    await pass(2, 3);
    expect(fleet.size).toBe(3);
  });

  it('does not shrink for a Redis that came back empty and has not heard of the others yet', async () => {
    await pass(2, 3);
    await pass(2, 1);
    await pass(2, 3);
    await pass(8, 1);
    expect(fleet.size).toBe(3);
  });

  it('stays as it was while Redis is away', async () => {
    await pass(2, 4);
    await pass(60, new Error('away'));
    expect(fleet.size).toBe(4);
  });

  it('beats at once when the connection is back, and never again after it has left', async () => {
    reconnect();
    expect(beats).toBe(2);
    await fleet.leave();
    reconnect();
    await pass(10, 1);
    expect(beats).toBe(2);
  });

  it('is never empty', async () => {
    await pass(20, 0);
    expect(fleet.size).toBe(1);
  });
});
