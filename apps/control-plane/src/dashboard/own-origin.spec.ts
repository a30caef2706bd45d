import { demandCsrfToken, demandOwnOrigin } from './own-origin';

const arrival = { scheme: 'http', host: 'gateway.test:3000' } as const;
const refused = expect.objectContaining({ code: 'csrf_refused' }) as Error;

describe('a request by cookie', () => {
  it.each([
    [{}],
    [{ 'sec-fetch-site': 'same-origin' }],
    [{ 'sec-fetch-site': 'none' }],
    // A proxy may have changed what the gateway takes for its name.
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://public.test' }],
    [{ origin: 'http://gateway.test:3000' }],
  ])('is ours with %j', (headers) => {
    expect(() => demandOwnOrigin(headers, arrival)).not.toThrow();
  });

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site', origin: 'http://gateway.test:3000' }],
    [{ 'sec-fetch-site': '' }],
    [{ origin: 'http://gateway.test' }],
    [{ origin: 'http://gateway.test:3001' }],
    [{ origin: 'http://evil.test/gateway.test:3000' }],
    [{ origin: 'http://evil-gateway.test:3000' }],
    [{ origin: 'null' }],
    [{ origin: '' }],
  ])('is not with %j', (headers) => {
    expect(() => demandOwnOrigin(headers, arrival)).toThrow(refused);
  });

  it('of a default port is told by the host alone', () => {
    const plain = { scheme: 'https', host: 'gateway.test' } as const;
    expect(() => demandOwnOrigin({ origin: 'https://gateway.test' }, plain)).not.toThrow();
    expect(() => demandOwnOrigin({ origin: 'https://gateway.test:8443' }, plain)).toThrow(refused);
  });
});

describe('a change', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])('by %s needs the token', (method) => {
    expect(() => demandCsrfToken(method, { 'x-csrf-token': 'token' }, 'token')).not.toThrow();
    for (const sent of [undefined, '', 'tokem', 'token2', 'TOKEN'])
      expect(() => demandCsrfToken(method, { 'x-csrf-token': sent }, 'token')).toThrow(refused);
    expect(() => demandCsrfToken(method, { 'x-csrf-token': ['token', 'token'] }, 'token')).toThrow(refused);
  });

  it.each(['GET', 'HEAD', 'OPTIONS'])('is nothing that %s makes', (method) => {
    expect(() => demandCsrfToken(method, {}, 'token')).not.toThrow();
  });
});
