/** The status of the refusal, or what the upstream is asked for. */
type Expected = number | string;

/** Puts a disguise into the place that is to be reached by it: `v1/<disguise>` below the API. */
const below = (expected: Expected, ...disguises: string[]): Array<[string, Expected]> =>
  disguises.map((disguise) => [`/api/v1/${disguise}`, expected]);
const all = (expected: Expected, ...targets: string[]): Array<[string, Expected]> =>
  targets.map((target) => [target, expected]);
/** Targets that the upstream is asked for as they are, below the prefix. */
const unchanged = (...rests: string[]): Array<[string, Expected]> =>
  rests.map((rest) => [`/api/v1/${rest}`, `/v1/${rest}`]);

/**
 * Request targets, byte by byte, and what comes of them, for a tenant with the open place `/v1` and below it the
 * protected `admin`, `Secret` and `a@b`. 400: no server could be sure what is meant. 401: a protected place, and
 * there is no token. 403: no place, or one that servers might disagree about. 404: not below the API.
 */
// prettier-ignore
export const TRICKS: Readonly<Record<string, Array<[target: string, expected: Expected]>>> = {
  'plain paths': [
    ...unchanged('', 'x', 'x/', 'x/y/z', 'administrators', 'x/admin', 'x.json', '.x', '..x', 'x..', 'x..y', "!$&'()*+,=:@~-_"),
    ['/api/v1', '/v1'],
    ...below(401, 'admin', 'admin/', 'admin/x', 'Secret', 'Secret/x', 'a@b', 'a@b/x'),
    ...all(403, '/api', '/api/', '/api/v', '/api/v2', '/api/v1x', '/api/admin'),
    ...all(404, '/', '/v1', '/v1/x', '/apis', '/ap'),
  ],
  'dot segments': [
    ...below('/v1/x', './x', 'y/../x', '../v1/x', '../../api/v1/x', 'y/./../z/../x'),
    ...below('/v1/', '.', 'x/..', 'x/../', 'x/y/../..'), ...below('/v1/x/', 'x/.', 'x/./', 'x/y/..'),
    ...all('/v1/x', '/x/../api/v1/x', '/./api/./v1/./x', '/api/../api/v1/x'),
    ...below(401, 'x/../admin', './admin', 'x/./../admin/.', 'admin/x/..', 'x/../Secret', 'admin/../admin'),
    ...below(403, '..', '../', '../admin', '../v2/x', 'admin/../../v2'),
    ...below(404, '../..', '../../admin', '../../v1/x', '../../apis'),
    ...below(400, '../../..', '../../../x', '../../../../../../etc/passwd', '...', '.../admin', '..../admin'),
    ...all(400, '/..', '/../api/v1/x', '/../../api/v1/x', '/./../api/v1/x'),
  ],
  'encoded dots': [
    ...below('/v1/x', '%2e/x', 'y/%2e%2e/x', 'y/.%2E/x'), ...below('/v1/x.json', 'x%2ejson', 'x%2Ejson'),
    ...below(401, 'x/%2e%2e/admin', 'x/.%2e/admin', 'x/%2E./admin', '%2e/admin', 'x/%2e/%2e%2e/admin/%2e'),
    ...below(403, '%2e%2e/admin', '%2e%2e', 'admin%2e'),
    ...below(400, 'x/%252e%252e/admin', 'x/%25%32%65%25%32%65/admin', 'x/%25252e%25252e/admin', 'x/.%252e/admin'),
    ...below(400, 'x/%u002e%u002e/admin', 'x/%%32%65%%32%65/admin', 'x/%2/admin', 'x/%2%65%2%65/admin'),
    ...below(400, 'x/%c0%ae%c0%ae/admin', 'x/%e0%80%ae%e0%80%ae/admin', 'x/%f0%80%80%ae/admin', 'x/%25c0%25ae/admin'),
  ],
  slashes: [
    ...all('/v1/x', '//api/v1/x', '/api//v1/x', '/api/v1//x', '///api///v1///x', '/api/v1/y//../x'),
    ...below(401, '/admin', '//admin//', 'x//../admin'), ...all(404, '//evil.test/api/v1/x', '//v1/x'),
    ...below(400, 'x%2fy', '%2fadmin', '..%2fadmin', 'x/..%2fadmin', 'x%2f..%2fadmin', 'public/..%2fadmin', 'admin%2F'),
    ...below(400, '%252fadmin', '%25%32%66admin', '%25252fadmin', '..%252fadmin', '%c0%afadmin', '%e0%80%afadmin'),
    ...below(400, 'x%ef%bc%8fadmin', 'x%e2%88%95admin', 'x%e2%81%84admin', '%e2%84%80dmin', 'x%ef%bc%852fadmin'),
    ...all(400, '/api%2fv1/x', '/api%2Fv1%2Fx', '/%2fapi/v1/x', '/api/v1%2fadmin', '/api%252fv1/x'),
  ],
  backslashes: [
    ...below(400, '\\admin', 'x\\..\\admin', '..\\admin', 'x/..\\admin', 'x\\', '%5cadmin', 'x%5C..%5Cadmin', '..%5cadmin'),
    ...below(400, '%255cadmin', '%25%35%63admin', 'x%ef%bc%bcadmin', 'x%c1%9cadmin', 'x%e2%88%96admin'),
    ...all(400, '\\api\\v1\\x', '/api\\v1/x', '/api/v1\\admin', '/\\evil.test/api/v1/x', '/api\\..\\admin'),
  ],
  'path parameters': [
    ...unchanged('x;y=1', 'x;y/z;w', 'x;', 'x;..', 'x;a=..', 'x;;;'), ['/api/v1/x%3by', '/v1/x%3By'],
    ...below(401, 'x;/../admin', 'x;y=1/../admin'),
    ...below(403, 'admin;x', 'admin;x/y', 'admin;', ';/admin', ';x=1/admin', 'admin%3bx', '%3b/admin', 'Secret;a=b'),
    ...all(403, '/api/v1;x/admin', '/api/v1;/x', '/api/;/v1/x', '/api/v1%3bx/admin'),
    ...all(404, '/api;x/v1/x', '/;/api/v1/x', '/api%3b/v1/x', '/api;/../admin'),
    ...below(400, '..;/admin', 'x/..;/admin', '..;x=1/admin', '.;/admin', '..%3b/admin', '..%3B/admin', 'x/..;'),
    ...below(400, 'x%253by', '..%253b/admin', 'x%ef%bc%9by', 'x%cd%bey', ';/..;/admin'),
  ],
  case: [
    ...unchanged('X', 'xAdmin'),
    ...below(403, 'ADMIN', 'Admin/x', 'aDMIN', '%41dmin', 'secret', 'SECRET/x', 'A@b', 'a@B/x'),
    ...all(403, '/api/V1/x', '/api/V1/admin', '/api/%56%31/x'), ...all(404, '/API/v1/x', '/Api/v1/x', '/%41PI/v1/x'),
  ],
  'dots and spaces around names': [
    ...unchanged('x.', 'x%20', '%20x', 'x%20y'),
    ...below(403, 'admin.', 'admin..', 'admin%20', '%20admin', 'admin%20.', 'admin.%20/x', '%20admin%20/x', 'Secret.'),
    ...below(403, 'admin%C2%A0', 'admin%E3%80%80', 'admin.%E2%80%8B', '%20/admin', '%C2%AD/admin', '%E2%80%8B/admin'),
    ...all(403, '/api/v1./x', '/api/v1%20/x', '/api/%20v1/x'), ...all(404, '/api./v1/x', '/api%20/v1/x', '/%20api/v1/x'),
    ...below(400, '..%20/admin', '%20../admin', '.%20./admin', '..%C2%A0/admin', '..%E2%80%8B/admin', '.%C2%AD./admin'),
  ],
  Unicode: [
    ...unchanged('caf%C3%A9', '%F0%9F%98%80', '%C2%BD', '%E4%B8%AD/%E6%96%87'), ['/api/v1/caf%c3%a9', '/v1/caf%C3%A9'],
    ...below(403, '%EF%BD%81dmin', 'adm%C4%B1n', 'adm%C4%B0n', '%C5%BFecret', 'a%EF%BC%A0b', '%E2%93%90dmin', '%C2%AAdmin'),
    ...below(403, 'ad%C2%ADmin', 'ad%E2%80%8Bmin', '%EF%BB%BFadmin', 'admin%E2%81%A0', '%E2%80%AEadmin'),
    ...below(400, 'x/%EF%BC%8E%EF%BC%8E/admin', 'x/%E2%80%A5/admin', '%EF%B9%92%EF%B9%92/admin', '%E2%80%A6'),
    ...below(400, '%ff', '%c3', '%c3%28', '%ed%a0%80', '%f4%90%80%80', '%a0', 'caf%e9'),
    ...all(404, '/%EF%BD%81pi/v1/x', '/ap%C4%B1/v1/x'), ...all(403, '/api/v%C2%B9/x', '/api/%EF%BD%961/x'),
  ],
  'what need not be encoded, and what is encoded twice': [
    ...all('/v1/x', '/%61pi/v1/x', '/api/%76%31/%78', '/ap%69/v1/x'), ['/api/v1/%7Ex%2d', '/v1/~x-'],
    ...unchanged('100%25', 'a%2520b', '50%25de', '%25', '%22%3C%3E', 'x%23y', 'x%3Fy', '%5B%7C%5D'), ['/api/v1/%3f', '/v1/%3F'],
    ...below(401, '%61dmin', '%61%64%6d%69%6e', '%53ecret', 'x%3f/../admin'),
    ...below(403, '%2561dmin', '%252561dmin', 'a%40b', 'a%2540b', '%2553ecret', 'admin%2520', '%25EF%25BD%2581dmin'),
    ...below(400, '%25252561dmin', '%', 'x%', '%2', '%zz', '%-1', '%u0061dmin', '%%36%31dmin', 'x%2500', 'x%250d'),
  ],
  'controls and raw bytes': [
    ...below(400, 'x\0', 'admin\0', '\0/../admin', 'x\ty', '\x0b', '\x0c', '\x1b[2J', '\x7f', 'x\ry', 'x y', ' x'),
    ...below(400, '\x80', '\xff', '\xc0\xae\xc0\xae/admin', 'x\xc0\xafadmin', 'caf\xc3\xa9', '\xef\xbc\x8e\xef\xbc\x8e/admin'),
    ...below(400, 'x%00', 'admin%00', 'admin%00.png', '%00admin', 'x%0a', 'x%0d%0aX:%20y', '%09admin', '%1b', '%7f', '%C2%85'),
  ],
  'queries and fragments': [
    ...unchanged('x?', 'x?y=1', 'x?/../admin', 'x?y=%00%2e%2e%2f', 'x??y', 'x?a=;b&c=\\|"<>^`{}', 'x?y=/api/v1/admin', '?/admin'),
    ['/api/v1?/../admin', '/v1?/../admin'], ['/api/v1/y/../x?y', '/v1/x?y'],
    ...below(401, 'admin?', 'admin?x', 'x/../admin?/x'), ...all(403, '/api?/v1/x'), ...all(404, '/?/api/v1/x', '/x?/../api/v1/x'),
    ...below(400, 'x#', 'x#y', 'x#/../admin', 'x?y#z', 'x?#', '#', 'x?y z', 'x?y\tz', 'x?\0', 'x?\x7f', 'x?\xff'),
  ],
  'absolute, authority and asterisk form': [
    ...all('/v1/x', 'http://gateway.test/api/v1/x', 'HTTP://other.test:81/api/v1/x', 'https://[::1]:3000/api/v1/y/../x'),
    ...all('/v1/x?y=http://z/', 'http://gateway.test/api/v1/x?y=http://z/'), ['/api/v1/http://y/x', '/v1/http:/y/x'],
    ...all(401, 'http://other.test/api/v1/admin', 'http://gateway.test//api/v1/x/../admin'),
    ...all(403, 'http://gateway.test/api/v1/ADMIN', 'http://gateway.test/api'),
    ...all(404, 'http://gateway.test', 'http://gateway.test/', 'http://gateway.test?/api/v1/x', 'http://gateway.test/api/../admin'),
    ...all(404, '/http://gateway.test/api/v1/x', 'http://api/v1/x'),
    ...all(400, 'http://user@gateway.test/api/v1/x', 'http://u:p@gateway.test/api/v1/x', 'http://a@b@c/api/v1/x'),
    ...all(400, 'http://gateway.test#/api/v1/x', 'http://gateway.test\\/api/v1/x', 'http://gateway.test\\@x/api/v1/x'),
    ...all(400, 'http:///api/v1/x', 'http:/api/v1/x', 'http:api/v1/x', 'http://', '://gateway.test/api/v1/x', 'http://%61/api/v1/x'),
    ...all(400, 'http://gateway.test:/api/v1/x', 'http://gateway.test:x/api/v1/x', 'http://gateway.test:123456/api/v1/x'),
    ...all(400, 'http://[::1/api/v1/x', 'http://::1/api/v1/x', 'http://a,b/api/v1/x', 'http://a;b/api/v1/x'),
    ...all(400, 'ftp://gateway.test/api/v1/x', 'file:///api/v1/x', 'ws://gateway.test/api/v1/x', 'javascript:/api/v1/x'),
    ...all(400, 'gateway.test:80', 'gateway.test/api/v1/x', 'api/v1/x', '*', '', '?/api/v1/x', '#', '.', '..', '~', 'a'),
  ],
  'the prefix of the API': [
    ...all(404, '/api/../admin', '/api/..', '/api/%2e%2e/admin', '/api/../v1/x', '/api/.%2e//v1/x', '/apiv1/x', '/api.v1/x'),
    ...all(404, '/api-v1/x', '/api%20v1/x', '/api@x/v1/x', '/api:80/v1/x', '/api,/v1/x', '/%C2%ADapi/v1/x', '/api%C2%AD/v1/x'),
    ...all(400, '/api/../../api/v1/x', '/api%00/v1/x', '/api%/v1/x', '/api/..;/api/v1/x', '/api%5cv1/x', '/api\t/v1/x'),
    ...all(403, '/api/.', '/api/./', '/api/api/v1/x', '/api/v1/../', '/api/x/../v2'),
  ],
  'long and deep paths': [
    ...unchanged('x'.repeat(8184), 'x/'.repeat(4092), `x${';'.repeat(8000)}`, `x${'.'.repeat(8000)}y`, `x?${'y'.repeat(14_000)}`),
    [`/api/v1${'/y/..'.repeat(1500)}/x`, '/v1/x'], [`/api/v1/${'%78'.repeat(2000)}`, `/v1/${'x'.repeat(2000)}`],
    [`${'/'.repeat(8000)}api/v1/x`, '/v1/x'], ...unchanged('%20'.repeat(2500), '%F0%9F%98%80'.repeat(600)),
    ...all(401, `/api/v1${'/x/..'.repeat(1500)}/admin`, `/api/v1${'/.'.repeat(4000)}/admin`),
    ...all(403, `/api/v1/admin${'.'.repeat(8000)}`, `/api/v1/admin${';'.repeat(8000)}`, `/api/v1/admin${'%20'.repeat(2500)}`),
    ...all(400, `/api/v1${'/..'.repeat(2500)}`, `/api/v1/%${'25'.repeat(4000)}2f`, `/api/v1/${'.'.repeat(8000)}`),
    ...all(414, `/api/v1/${'x'.repeat(8185)}`, `/api/v1/${'x'.repeat(8185)}?y`, `/${'x'.repeat(9000)}`),
    ...all(431, `/api/v1/${'x'.repeat(17_000)}`, `/api/v1/x?${'y'.repeat(17_000)}`),
  ],
};
