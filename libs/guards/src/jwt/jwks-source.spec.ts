import type { GatewayError } from '#libs/errors';
import { createKey } from '../../../../test/support/token-signer';
import { JwksSource } from './jwks-source';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const [first, second] = [createKey('ES256'), createKey('ES256')];

/** A source with a clock and an endpoint that tests turn by hand. */
function setUp() {
  const state = {
    now: 1_800_000_000_000,
    fetches: 0,
    published: [first.jwk],
    broken: false,
    log: [] as string[],
    release: undefined as (() => void) | undefined,
  };
  const fetch = async (): Promise<string> => {
    state.fetches += 1;
    if (state.release) await new Promise<void>((resolve) => (state.release = resolve));
    if (state.broken) throw new Error('connect ECONNREFUSED');
    return JSON.stringify({ keys: state.published });
  };
  const source = new JwksSource('https://idp.test/jwks?secret=1', {
    fetch,
    logger: {
      info: (fields: unknown, message: string) => state.log.push(`${JSON.stringify(fields)} ${message}`),
      warn: (fields: unknown, message: string) => state.log.push(`${JSON.stringify(fields)} ${message}`),
    } as never,
    now: () => state.now,
  });
  /** The number of keys, or what the refusal says. */
  const ask = async (kid: string): Promise<number | string> =>
    source.keysFor(kid).then(
      (keys) => keys.length,
      (error: GatewayError) => `${error.code} ${error.headers?.['Retry-After']}`,
    );
  return {
    state,
    source,
    ask,
    pass: (ms: number) => (state.now += ms),
    settle: () => new Promise(setImmediate),
  };
}

describe('the first key set', () => {
  it('is fetched once for all who wait for it', async () => {
    const { state, ask } = setUp();
    expect(await Promise.all(Array.from({ length: 50 }, () => ask(first.kid)))).toEqual(Array(50).fill(1));
    expect(state.fetches).toBe(1);
  });

  it('is tried for at most once a second while the endpoint fails, and is there at once when it is back', async () => {
    const { state, ask, pass } = setUp();
    state.broken = true;
    for (let i = 0; i < 100; i++) expect(await ask(first.kid)).toBe('jwks_unavailable 1');
    expect(state.fetches).toBe(1);
    pass(999);
    await ask(first.kid);
    expect(state.fetches).toBe(1);
    pass(1);
    state.broken = false;
    expect(await ask(first.kid)).toBe(1);
    expect(state.fetches).toBe(2);
  });

  it('is unusable when it holds nothing usable', async () => {
    const { state, ask } = setUp();
    state.published = [{ kty: 'oct', kid: first.kid, k: 'c2VjcmV0' }];
    expect(await ask(first.kid)).toBe('jwks_unavailable 1');
  });
});

describe('an unknown kid', () => {
  it('has the keys fetched anew, so that a rotation is followed at once', async () => {
    const { state, ask } = setUp();
    await ask(first.kid);
    state.published = [second.jwk, first.jwk];
    expect(await Promise.all([ask(second.kid), ask(second.kid), ask(first.kid)])).toEqual([1, 1, 1]);
    expect(state.fetches).toBe(2);
  });

  it.each([
    ['of a known issuer', first.kid, 1],
    ['of an issuer never heard of', undefined, 0],
  ])('costs one fetch per 30 s whatever number of them there is (%s)', async (_name, warmUp, before) => {
    const { state, ask, pass } = setUp();
    if (warmUp) await ask(warmUp);
    for (let i = 0; i < 10_000; i++) await ask(`random ${i}`);
    expect(state.fetches).toBe(before + 1);
    pass(30 * SECOND - 1);
    expect(await ask('random')).toBe(0);
    expect(state.fetches).toBe(before + 1);
    pass(1);
    expect(await Promise.all(Array.from({ length: 100 }, (_unused, i) => ask(`random ${i}`)))).toEqual(
      Array(100).fill(0),
    );
    expect(state.fetches).toBe(before + 2);
  });

  it('is neither let in nor called wrong while the endpoint fails', async () => {
    const { state, ask, pass } = setUp();
    await ask(first.kid);
    state.broken = true;
    expect(await ask(second.kid)).toBe('jwks_unavailable 30');
    pass(10_500);
    expect(await ask(second.kid)).toBe('jwks_unavailable 20');
    expect(await ask(first.kid)).toBe(1);
    expect(state.fetches).toBe(2);
    pass(19_500);
    state.broken = false;
    expect(await ask(second.kid)).toBe(0);
    expect(state.fetches).toBe(3);
  });
});

describe('the keys in use', () => {
  it('are refreshed in the background after ten minutes, without anybody waiting', async () => {
    const { state, source, ask, pass, settle } = setUp();
    await ask(first.kid);
    const [key] = await source.keysFor(first.kid);
    pass(10 * MINUTE - 1);
    expect(source.vouchesFor(key!, state.now)).toBe(true);
    expect(state.fetches).toBe(1);
    pass(1);
    state.release = () => {};
    for (let i = 0; i < 100; i++) expect(source.vouchesFor(key!, state.now)).toBe(true);
    expect(await ask(first.kid)).toBe(1);
    expect(state.fetches).toBe(2);
    state.release();
    await settle();
    expect(source.vouchesFor(key!, state.now)).toBe(true);
    expect(state.fetches).toBe(2);
  });

  it('are not fetched while nobody uses them', async () => {
    const { state, ask, pass, settle } = setUp();
    await ask(first.kid);
    pass(24 * 60 * MINUTE);
    await settle();
    expect(state.fetches).toBe(1);
  });

  it('lose what they vouch for when they are withdrawn', async () => {
    const { state, source, ask, pass, settle } = setUp();
    const [key] = await source.keysFor(first.kid);
    state.published = [second.jwk];
    pass(10 * MINUTE);
    expect(source.vouchesFor(key!, state.now)).toBe(true);
    await settle();
    expect(source.vouchesFor(key!, state.now)).toBe(false);
    expect(await ask(first.kid)).toBe(0);
  });

  it('outlive a failing endpoint for one hour, during which it is asked twice a minute', async () => {
    const { state, source, ask, pass, settle } = setUp();
    const [key] = await source.keysFor(first.kid);
    state.broken = true;
    const fetchesUntil = async (minutes: number) => {
      const end = 1_800_000_000_000 + minutes * MINUTE;
      const before = state.fetches;
      for (; state.now < end; pass(SECOND)) {
        expect(source.vouchesFor(key!, state.now)).toBe(true);
        await settle();
      }
      return state.fetches - before;
    };
    expect(await fetchesUntil(10)).toBe(0);
    expect(await fetchesUntil(60)).toBe(100);
    expect(source.vouchesFor(key!, state.now)).toBe(false);
    expect(await ask(first.kid)).toBe('jwks_unavailable 1');

    pass(SECOND);
    state.broken = false;
    expect(await ask(first.kid)).toBe(1);
    expect(source.vouchesFor(key!, state.now)).toBe(true);
  });

  it('are not taken on trust after an idle hour', async () => {
    const { state, ask, pass } = setUp();
    await ask(first.kid);
    pass(60 * MINUTE);
    state.published = [second.jwk];
    expect(await ask(first.kid)).toBe(0);
    expect(state.fetches).toBe(2);
  });
});

it('says once that the endpoint fails and once that it is back, without the query of its URL', async () => {
  const { state, ask, pass } = setUp();
  state.broken = true;
  for (let i = 0; i < 5; i++, pass(SECOND)) await ask(first.kid);
  state.broken = false;
  await ask(first.kid);
  const fields = '{"category":"auth","jwksUri":"https://idp.test/jwks"';
  expect(state.log).toEqual([
    `${fields},"reason":"connect ECONNREFUSED"} JWKS endpoint fails`,
    `${fields}} JWKS endpoint is back`,
  ]);
});
