import { RequestContext } from '#libs/guards';
import { Cors } from './cors';

const APP = 'https://app.example.com';

function from(origin: string | undefined, method = 'GET'): RequestContext {
  return Object.assign(new RequestContext(0), { origin, method });
}

function fields(flat: readonly string[] | undefined): Record<string, string> | undefined {
  if (flat === undefined) return undefined;
  return Object.fromEntries(
    flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] as string]] : [])),
  );
}

describe('who is granted access', () => {
  it.each<[string, string[], string | undefined, boolean]>([
    ['any origin, by *', ['*'], APP, true],
    ['also the opaque one', ['*'], 'null', true],
    ['nobody without an origin', ['*'], undefined, false],
    ['an origin on the list', ['http://localhost:1', APP], APP, true],
    ['none that is not', [APP], 'https://evil.example.com', false],
    ['none that begins like it', [APP], `${APP}.evil.com`, false],
    ['none in another case: browsers send the plain form', [APP], APP.toUpperCase(), false],
    ['* among others means any', [APP, '*'], 'https://other.example.com', true],
  ])('%s', (_, origins, origin, granted) => {
    const cors = new Cors(origins);
    const headers = fields(cors.headers(from(origin)));
    expect(cors.allows(from(origin))).toBe(granted);
    // A cache must know that the answer would be another for another origin, also if there was none.
    expect(headers?.Vary).toBe('Origin');
    expect(headers?.['Access-Control-Allow-Origin']).toBe(granted ? origin : undefined);
    expect(headers?.['Access-Control-Allow-Credentials']).toBe(granted ? 'true' : undefined);
  });
});

describe('a preflight', () => {
  const cors = new Cors([APP]);

  it.each([
    ['another method', from(APP, 'GET'), 'PUT'],
    ['no origin', from(undefined, 'OPTIONS'), 'PUT'],
    ['nothing asked', from(APP, 'OPTIONS'), undefined],
  ])('is none with %s', (_, context, asked) => {
    expect(cors.preflight(context, asked)).toBeUndefined();
  });

  it('grants methods and the documented headers to an allowed origin', () => {
    expect(fields(cors.preflight(from(APP, 'OPTIONS'), 'PUT'))).toMatchObject({
      Vary: 'Origin',
      'Access-Control-Allow-Origin': APP,
      'Access-Control-Allow-Methods': expect.stringContaining('PUT'),
      'Access-Control-Allow-Headers': 'Content-Type, Authorization, X-API-Key, X-Admin-Token',
    });
  });

  it('grants nothing to any other', () => {
    expect(cors.preflight(from('https://evil.example.com', 'OPTIONS'), 'PUT')).toEqual(['Vary', 'Origin']);
  });
});
