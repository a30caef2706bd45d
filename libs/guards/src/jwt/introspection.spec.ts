import { GatewayError } from '#libs/errors';
import { createSigner } from '../../../../test/support/token-signer';
import { IntrospectedTokens } from './introspection';
import type { IntrospectionEndpoint } from './introspection-endpoint';
import { parseCompactToken } from './compact-token';

const SECOND = 1000;

/** An issuer whose endpoint and clock tests turn by hand. */
function setUp(env: Record<string, string> = { GATEWAY_SECRET_A: 'hush' }) {
  const state = {
    now: 1_800_000_000_000,
    asked: [] as string[],
    answer: { active: true } as object | string | Error,
    log: [] as string[],
  };
  const ask = (_url: string, _authorization: string, token: string): Promise<string> => {
    state.asked.push(token);
    const { answer } = state;
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(typeof answer === 'string' ? answer : JSON.stringify(answer));
  };
  const introspection = {
    endpoint: 'https://as.test/introspect?key=1',
    clientId: 'me',
    clientSecret: { env: 'GATEWAY_SECRET_A' },
  };
  const issuer = new IntrospectedTokens(
    { issuer: 'https://as.test', introspection },
    {
      endpoint: { ask } as unknown as IntrospectionEndpoint,
      logger: {
        info: (_fields: unknown, message: string) => state.log.push(message),
        warn: (fields: unknown, message: string) => state.log.push(`${JSON.stringify(fields)} ${message}`),
      } as never,
      named: new Map(Object.entries(env)),
      now: () => state.now,
    },
  );
  const judge = async (
    text: string,
    parts = undefined as ReturnType<typeof parseCompactToken> | undefined,
  ) => {
    try {
      const { until, token } = await issuer.judge({ text, parts });
      return { goodFor: until - state.now, expiresIn: token.expiresAt - state.now };
    } catch (error) {
      return (error as GatewayError).publicDetail ?? (error as GatewayError).code;
    }
  };
  return { state, judge };
}

it('believes an answer for a minute at most, and never beyond the expiry', async () => {
  const { state, judge } = setUp();
  const exp = (seconds: number): number => state.now / SECOND + seconds;
  state.answer = { active: true, exp: exp(600) };
  expect(await judge('a')).toEqual({ goodFor: 60 * SECOND, expiresIn: 600 * SECOND });
  state.answer = { active: true, exp: exp(30) };
  expect(await judge('b')).toEqual({ goodFor: 30 * SECOND, expiresIn: 30 * SECOND });
  state.answer = { active: true };
  expect(await judge('c')).toEqual({ goodFor: 60 * SECOND, expiresIn: 60 * SECOND });
  state.answer = { active: true, exp: exp(0) };
  expect(await judge('d')).toBe('the token has expired');
});

it('refuses what was not active for ten seconds, and asks again then', async () => {
  const { state, judge } = setUp();
  state.answer = { active: false };
  expect(await judge('a')).toBe('the token is not active');
  state.answer = { active: true };
  state.now += 9_999;
  expect(await judge('a')).toBe('the token is not active');
  state.now += 1;
  expect(await judge('a')).toMatchObject({ goodFor: 60 * SECOND });
  expect(state.asked).toEqual(['a', 'a']);
});

it('leaves an endpoint alone for a second that failed, and says so once', async () => {
  const { state, judge } = setUp();
  state.answer = new Error('connect ECONNREFUSED');
  for (let i = 0; i < 10; i++) expect(await judge(`x${i}`)).toBe('jwks_unavailable');
  expect(state.asked).toHaveLength(1);
  state.now += SECOND;
  expect(await judge('y')).toBe('jwks_unavailable');
  state.now += SECOND;
  state.answer = { active: true };
  expect(await judge('y')).toMatchObject({ goodFor: 60 * SECOND });
  expect(state.log).toEqual([
    expect.stringMatching(/"endpoint":"https:\/\/as.test\/introspect".*ECONNREFUSED.* endpoint fails$/),
    'introspection endpoint is back',
  ]);
});

it('asks two hundred times at once, and fifty times a second then', async () => {
  const { state, judge } = setUp();
  state.answer = { active: false };
  const flood = async (): Promise<number> => {
    const before = state.asked.length;
    for (let i = 0; i < 1000; i++) await judge(`${state.now}-${i}`);
    return state.asked.length - before;
  };
  expect(await flood()).toBe(200);
  expect(await flood()).toBe(0);
  state.now += SECOND;
  expect(await flood()).toBe(50);
});

it('is asked about a JWT too that names it, for it may have been taken back', async () => {
  const { state, judge } = setUp();
  const signer = createSigner();
  const token = signer.sign({ iss: 'https://as.test' });
  state.answer = { active: false };
  expect(await judge(token, parseCompactToken(token))).toBe('the token is not active');
  expect(state.asked).toEqual([token]);
});

it('cannot ask without its client secret', async () => {
  const { state, judge } = setUp({});
  expect(await judge('a')).toBe('the client secret of the introspection is missing');
  expect(state.asked).toEqual([]);
});

it.each(['', 'null', '[]', '{"sub":"ada"}', 'secret=hush', '{"active":true,"sub":"ada" hush}'])(
  'takes no answer for none, and does not repeat it in the log: %j',
  async (text) => {
    const { state, judge } = setUp();
    state.answer = text;
    expect(await judge('a')).toBe('jwks_unavailable');
    expect(state.log).toHaveLength(1);
    expect(state.log[0]).toContain('the answer is none to an introspection');
    expect(state.log[0]).not.toMatch(/ada|hush/);
  },
);
