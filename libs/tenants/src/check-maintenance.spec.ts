import { parseMaintenance } from './check-maintenance';
import { ServedMaintenance } from './served-maintenance';

const SHA256 = 'a'.repeat(64);

describe('a maintenance', () => {
  it.each([
    [{}],
    [{ message: 'x'.repeat(500) }],
    [{ until: '2030-01-31T06:00:00Z', retryAfterSeconds: 604_800 }],
    [{ allowedIps: ['10.0.0.0/8', '2001:db8::1'], bypassSha256: SHA256 }],
  ])('%j is one', (document) => {
    expect(parseMaintenance(JSON.stringify(document))).toEqual({ maintenance: document });
  });

  it.each([
    ['[]', ''],
    ['{', ''],
    ['null', ''],
    ['{"message":" "}', 'message'],
    [JSON.stringify({ message: 'x'.repeat(501) }), 'message'],
    ['{"until":"2030-02-30T00:00:00Z"}', 'until'],
    ['{"retryAfterSeconds":604801}', 'retryAfterSeconds'],
    ['{"allowedIps":[]}', 'allowedIps'],
    ['{"allowedIps":["x"]}', 'allowedIps.0'],
    [JSON.stringify({ bypassSha256: 'A'.repeat(64) }), 'bypassSha256'],
    ['{"bypassToken":"x"}', 'bypassToken'],
  ])('%s is none', (text, field) => {
    expect(parseMaintenance(text).problems).toMatchObject([{ field }]);
  });
});

describe('whoever comes during a maintenance', () => {
  const visitor = (clientAddress: string, maintenanceBypass?: string) => ({
    clientAddress,
    maintenanceBypass,
  });
  const token = 'operator';
  const bypassSha256 = 'b1835ac15c5e9f0e1f6a8cdd0f3f7f12b4a3e0f1b0d6c6b9d6a5d1c4d5d5a0aa';

  it('is stopped until it is over, and told when that is', () => {
    const until = '2030-01-01T00:00:10Z';
    const served = new ServedMaintenance({ until, retryAfterSeconds: 5 });
    const end = Date.parse(until);
    expect([end - 9500, end - 1, end].map((now) => served.stops(visitor('10.0.0.1'), now))).toEqual([
      true,
      true,
      false,
    ]);
    expect([end - 9500, end - 1].map((now) => served.retryAfterSeconds(now))).toEqual([10, 1]);
    expect(new ServedMaintenance({ retryAfterSeconds: 5 }).retryAfterSeconds(0)).toBe(5);
    expect(new ServedMaintenance({}).retryAfterSeconds(0)).toBe(60);
  });

  it('is served by address, whatever family the block is of', () => {
    const served = new ServedMaintenance({ allowedIps: ['10.0.0.0/8', '2001:db8::/32'] });
    const stopped = ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::9', '11.0.0.1', ''].map((address) =>
      served.stops(visitor(address), 0),
    );
    expect(stopped).toEqual([false, false, false, true, true]);
  });

  it('is not served by a token whose digest is another', () => {
    const served = new ServedMaintenance({ bypassSha256 });
    expect([undefined, '', token, bypassSha256].map((text) => served.stops(visitor('::1', text), 0))).toEqual(
      Array(4).fill(true),
    );
  });
});
