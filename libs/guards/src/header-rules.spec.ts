import { isReservedHeader } from '#libs/tenants';
import { headerRule, type HeaderRule } from './header-rules';

/** The rule for all names, each also in upper and in mixed case. */
const rules = (names: readonly string[]): Array<[string, HeaderRule]> =>
  names
    .flatMap((name) => [
      name,
      name.toUpperCase(),
      name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase()),
    ])
    .map((name) => [name, headerRule(name).rule]);

describe.each<[rule: HeaderRule, title: string, names: string[]]>([
  ['read', 'what the admission decides about', [
    'host', 'connection', 'content-length', 'transfer-encoding', 'authorization', 'x-api-key', 'expect', 'upgrade',
    'origin', 'te', 'x-request-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded',
  ]],
  ['drop', 'hop-by-hop headers', [
    'keep-alive', 'proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'trailer', 'http2-settings',
  ]],
  ['drop', 'claims that only the gateway may make', [
    'x-real-ip', 'x-admin-token', 'x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-user', 'x-forwarded-',
    'x-gateway-signature', 'x-gateway-tenant-id', 'x-gateway-',
  ]],
  ['drop', 'a path other than the one that was judged', ['x-original-url', 'x-rewrite-url']],
  ['drop', 'a proxy for CGI programs', ['proxy']],
  ['drop', 'look-alikes to servers that turn what is no letter or digit into a dash', [
    'x_api_key', 'x-api_key', 'x.api.key', 'x~api-key', 'x_admin_token', 'x_forwarded_for', 'x-forwarded_for',
    'x_forwarded-user', 'x.forwarded.host', 'x_gateway_signature', 'x_real_ip', 'x_request_id', 'proxy_authorization',
    'x_original_url', 'keep_alive', 'x!forwarded!for',
  ]],
  ['cookie', 'what may have a session of the dashboard in it', ['cookie']],
  ['refuse', 'look-alikes of framing', [
    'content_length', 'transfer_encoding', 'content.length', 'transfer.encoding', 'content~length', 'transfer!encoding',
  ]],
  ['forward', 'everything else', [
    'accept', 'accept-encoding', 'user-agent', 'content-type', 'content-encoding', 'range', 'if-match', 'x-test',
    'x-api-keys', 'x-apikey', 'x-forwarded', 'x-gateway', 'xx-gateway-x', 'my_header', 'sec-websocket-key', 'via', 'traceparent',
    'x-original-filename', 'proxy-status', 'content-length-hint',
  ]],
])('%s: %s', (rule, _, names) => {
  it('whatever the case', () => {
    expect(rules(names)).toEqual(rules(names).map(([name]) => [name, rule]));
  });
}); // prettier-ignore

it('goes on deciding when it has seen more names than it keeps', () => {
  for (let i = 0; i < 3000; i++) expect(headerRule(`X-Name-${i}`).rule).toBe('forward');
  expect(headerRule('X-GATEWAY-Never-Seen-Before')).toEqual({
    name: 'x-gateway-never-seen-before',
    plain: 'x-gateway-never-seen-before',
    rule: 'drop',
  });
  expect(headerRule('X-Api-KEY')).toEqual({ name: 'x-api-key', plain: 'x-api-key', rule: 'read' });
});

it('lets no policy set what is not forwarded as it comes', () => {
  const ruled = [
    'Host', 'Connection', 'Content-Length', 'Transfer-Encoding', 'Authorization', 'X-API-Key', 'Expect', 'Upgrade',
    'Origin', 'TE', 'X-Request-Id', 'X-Forwarded-For', 'X-Forwarded-Anything', 'Forwarded', 'Keep-Alive',
    'Proxy-Connection', 'Proxy-Authorization', 'Proxy-Authenticate', 'Trailer', 'HTTP2-Settings', 'X-Admin-Token',
    'X-Real-IP', 'Proxy', 'X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'X-HTTP-Method',
    'X-Method-Override', 'X-Gateway-Signature',
  ]; // prettier-ignore
  for (const name of ruled) {
    expect([name, headerRule(name).rule]).not.toEqual([name, 'forward']);
    expect([name, isReservedHeader(name)]).toEqual([name, true]);
  }
});
