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

  const fields = (count: number): string =>
    `{${Array.from({ length: count }, (_, i) => `"f${i}":1`).join()}}`;
  const many = (objects: number, each: number): string =>
    `{"a":[${Array(objects).fill(fields(each)).join()}]}`;

  it.each([fields(200), many(199, 100), `[${Array(100_000).fill(1).join()}]`])(
    'lets what is large but not too large pass',
    (json) => {
      expect(refusalOf(json)).toBeUndefined();
    },
  );

  it.each([
    [fields(201), 'f200', 'is beyond the 200 fields that one object may have'],
    [fields(100_000), 'f200', 'is beyond the 200 fields that one object may have'],
    [many(1, 201), 'a.0.f200', 'is beyond the 200 fields that one object may have'],
    // The last is looked at first.
    [many(200, 100), 'a.0.f99', 'is beyond the 20000 fields that the body may have'],
    [many(1000, 100), 'a.800.f99', 'is beyond the 20000 fields that the body may have'],
  ])('refuses more fields than any document has', (json, field, message) => {
    expect(refusalOf(json)).toMatchObject({ code: 'validation_failed', fields: [{ field, message }] });
  });

  it.each([17, 1000, 100_000])('refuses %d levels without falling over', (levels) => {
    expect(refusalOf('['.repeat(levels) + ']'.repeat(levels))).toMatchObject({ code: 'bad_request' });
  });
});
