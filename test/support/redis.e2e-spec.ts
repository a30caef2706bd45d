import { Redis } from 'ioredis';
import { waitFor } from './children';
import {
  contractRedis,
  describeRedis,
  describeRedisTls,
  startCluster,
  startRedis,
  startSentinel,
} from './redis';

describeRedis('a Redis of our own', () => {
  it('answers on its port and asks for its password', async () => {
    const redis = await startRedis({ password: 'sésame/ouvre' });
    expect(await redis.cli('PING')).toBe('PONG');
    const client = new Redis(redis.url);
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
    const stranger = new Redis({ port: redis.port, enableReadyCheck: false });
    await expect(stranger.get('x')).rejects.toThrow('NOAUTH');
    stranger.disconnect();
    await redis.stop();
  });

  it('keeps its data across kill -9 with aof, and its port across a restart', async () => {
    const redis = await startRedis({ aof: true });
    const { port, pid } = redis;
    await redis.cli('SET', 'kept', 'yes');
    await redis.kill();
    await expect(redis.cli('PING')).rejects.toThrow();
    await redis.restart();
    expect(redis.port).toBe(port);
    expect(redis.pid).not.toBe(pid);
    expect(await redis.cli('GET', 'kept')).toBe('yes');
    await redis.stop();
  });

  it('hangs while paused and answers again when resumed', async () => {
    const redis = await startRedis();
    const client = new Redis(redis.url, { commandTimeout: 200 });
    await client.ping();
    redis.pause();
    await expect(client.ping()).rejects.toThrow('Command timed out');
    redis.resume();
    await waitFor('an answer', () => client.ping().catch(() => undefined));
    client.disconnect();
    await redis.stop();
  });

  it('says why it does not start', async () => {
    await expect(startRedis({ settings: { maxmemory: 'plenty' } })).rejects.toThrow('maxmemory');
  });
});

describeRedisTls('a Redis with TLS', () => {
  it('is reached with its authority and by nobody without', async () => {
    const redis = await startRedis({ tls: true });
    expect(redis.url).toMatch(/^rediss:/);
    expect(await redis.cli('PING')).toBe('PONG');
    const client = new Redis(redis.url, { tls: { ca: redis.certificates!.ca } });
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
    const trustless = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => null, tls: {} });
    trustless.on('error', () => {});
    await expect(trustless.connect()).rejects.toThrow();
    await redis.stop();
  });
});

describeRedis('a cluster of our own', () => {
  it('serves every slot from three masters', async () => {
    const cluster = await startCluster({ password: 'secret' });
    expect(await cluster.nodes[2]!.cli('CLUSTER', 'INFO')).toContain('cluster_slots_ok:16384');
    for (const key of ['a', 'b', 'c', 'd']) expect(await cluster.cli('SET', key, key)).toBe('OK');
    const sizes = await Promise.all(cluster.nodes.map((node) => node.cli('DBSIZE')));
    expect(sizes.reduce((sum, size) => sum + Number(size), 0)).toBe(4);
    await cluster.stop();
  });
});

describeRedis('a sentinel of our own', () => {
  it('names the master and promotes the replica when the master dies', async () => {
    const group = await startSentinel({ password: 'secret' });
    expect(await group.masterPort()).toBe(group.master.port);
    await group.master.kill();
    await waitFor('the promotion', async () => (await group.masterPort()) === group.replica.port, 10_000);
    await waitFor('its writes', () => group.replica.cli('SET', 'a', '1').catch(() => undefined), 5000);
    await group.stop();
  });
});

describe('the Redis of the contract suites', () => {
  it('is empty, can be filled and flushed, and is left empty', async () => {
    const redis = await contractRedis();
    const client = new Redis(redis.url);
    await client.set('tenant:x', '{}');
    expect(await client.exists('tenant:x')).toBe(1);
    await redis.flush();
    expect(await client.exists('tenant:x')).toBe(0);
    client.disconnect();
    await redis.stop();
  });
});
