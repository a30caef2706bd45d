import { setsSession, withoutSessions } from './session-cookies';

describe('a Cookie header', () => {
  it.each([
    ['a=1; b=2', 'a=1; b=2'],
    ['', ''],
    ['gatehouse-session=x', ''],
    ['__Host-gatehouse-session=x; a=1', 'a=1'],
    ['a=1; gatehouse-session=x; b=2', 'a=1; b=2'],
    ['a=1;gatehouse-session=x', 'a=1'],
    ['a=1; Gatehouse-Session=x; gatehouse-session=y', 'a=1'],
    ['a=gatehouse-session; my-gatehouse-session=1', 'a=gatehouse-session; my-gatehouse-session=1'],
    ['gatehouse-session', ''],
  ])('%j passes as %j', (value, passed) => {
    expect(withoutSessions(value)).toBe(passed);
  });
});

it.each([
  ['gatehouse-session=x; Path=/', true],
  [' __Host-Gatehouse-Session =x', true],
  ['theme=gatehouse-session', false],
  ['theme=dark', false],
])('Set-Cookie: %s sets a session: %s', (value, sets) => {
  expect(setsSession(value)).toBe(sets);
});
