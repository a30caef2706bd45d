import { GatewayError } from '#libs/errors';
import { refuseTraps } from './json-traps';

function refusalOf(json: string): GatewayError | undefined {
  try {
    refuseTraps(JSON.parse(json));
    return undefined;
  } catch (error) {
    return error as GatewayError;
  }
}

describe('refuseTraps', () => {
  it.each(['{}', '[]', 'null', '7', '{"a":{"b":[{"c":null}]}}', '['.repeat(16) + ']'.repeat(16)])(
    'lets %s pass',
    (json) => {
      expect(refusalOf(json)).toBeUndefined();
    },
  );

  it.each([
    ['{"__proto__":1}', '__proto__'],
    ['{"a":[{"constructor":{}}]}', 'a.0.constructor'],
    ['{"a":{"prototype":{}}}', 'a.prototype'],
    ['{"hasOwnProperty":1}', 'hasOwnProperty'],
  ])('refuses %s and names the field', (json, field) => {
    expect(refusalOf(json)).toMatchObject({ code: 'validation_failed', fields: [{ field }] });
  });

  it.each([17, 1000, 100_000])('refuses %d levels without falling over', (levels) => {
    expect(refusalOf('['.repeat(levels) + ']'.repeat(levels))).toMatchObject({ code: 'bad_request' });
  });
});
