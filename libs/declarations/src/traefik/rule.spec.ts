import { matchesOf } from './matches';
import { RuleError, parseRule } from './rule';

const matches = (rule: string): unknown => matchesOf(parseRule(rule));

describe('rules of routers', () => {
  const read: [rule: string, expected: object[]][] = [
    ['PathPrefix(`/a`)', [{ path: '/a' }]],
    ['PathPrefix("/a")', [{ path: '/a' }]],
    ['  PathPrefix( `/a/` )  ', [{ path: '/a' }]],
    ['PathPrefix(`/`)', [{ path: '/' }]],
    ['PathPrefix(`/a`, `/b`)', [{ path: '/a' }, { path: '/b' }]],
    ['Host(`A.Example.com`)', [{ hosts: ['a.example.com'] }]],
    ['Host(`a`, "b") && PathPrefix(`/x`)', [{ path: '/x', hosts: ['a', 'b'] }]],
    ['(Host(`a`) || Host(`b`)) && PathPrefix(`/x`)', [{ path: '/x', hosts: ['a', 'b'] }]],
    ['PathPrefix(`/x`) && Method(`get`, `POST`)', [{ path: '/x', methods: ['GET', 'POST'] }]],
    ['Method(`GET`) || Method(`PUT`)', [{ methods: ['GET'] }, { methods: ['PUT'] }]],
    ['Headers(`X-A`, `1`) && Header("X-B", "2")', [{ headers: { 'x-a': '1', 'x-b': '2' } }]],
    ['Header(`X`, `a \\"b\\"`)', [{ headers: { x: 'a \\"b\\"' } }]],
    ['Header("X", "a \\"b\\"")', [{ headers: { x: 'a "b"' } }]],
    ['PathPrefix(`/a`) && PathPrefix(`/a/b`)', [{ path: '/a/b' }]],
    ['Host(`a`,`b`) && Host(`b`,`c`)', [{ hosts: ['b'] }]],
    // && binds tighter than ||.
    ['PathPrefix(`/a`) || PathPrefix(`/b`) && Method(`GET`)', [{ path: '/a' }, { path: '/b', methods: ['GET'] }]],
    ['(PathPrefix(`/a`) || PathPrefix(`/b`)) && Method(`GET`)',
      [{ path: '/a', methods: ['GET'] }, { path: '/b', methods: ['GET'] }]],
    // What can never match adds no route.
    ['PathPrefix(`/a`) && (PathPrefix(`/b`) || PathPrefix(`/a/c`))', [{ path: '/a/c' }]],
  ]; // prettier-ignore
  it.each(read)('%s', (rule, expected) => expect(matches(rule)).toEqual(expected));

  const refused: [rule: string, message: string][] = [
    ['', 'needs a matcher, such as PathPrefix(`/path`) (character 1)'],
    ['!PathPrefix(`/a`)', '! is not supported (character 1)'],
    ['Host(`a`) && !Path(`/a`)', '! is not supported (character 14)'],
    ['HostRegexp(`.+`)', 'HostRegexp is not supported (character 1)'],
    ['PathRegexp(`.+`)', 'PathRegexp is not supported (character 1)'],
    ['Host(`a`) && Query(`q`, `1`)', 'Query is not supported (character 14)'],
    ['ClientIP(`10.0.0.0/8`)', 'ClientIP is not supported (character 1)'],
    ['HeadersRegexp(`a`, `b`)', 'HeadersRegexp is not supported (character 1)'],
    ['Path(`/a`)', 'Path is not supported: a route takes everything below its path too, as PathPrefix (character 1)'],
    ['PathPrefix(`/{id:[0-9]+}`)', 'PathPrefix with a pattern is not supported (character 1)'],
    ['PathPrefix(`a`)', 'PathPrefix needs a path that begins with / (character 1)'],
    ['PathPrefix(/a)', 'cannot be read from here on (character 12)'],
    ['PathPrefix()', 'PathPrefix needs values in backticks or double quotes (character 12)'],
    ['PathPrefix(`/a`', 'needs ")" (character 16)'],
    ['PathPrefix(`/a`) PathPrefix(`/b`)', 'needs && or || here (character 18)'],
    ['PathPrefix(`/a`) &&', 'needs a matcher, such as PathPrefix(`/path`) (character 20)'],
    ["PathPrefix('/a')", 'cannot be read from here on (character 12)'],
    ['PathPrefix(`/a`) & Host(`b`)', 'cannot be read from here on (character 17)'],
    ['(PathPrefix(`/a`)', 'needs ")" (character 18)'],
    ['Header(`a`)', 'Header needs a name and a value (character 1)'],
    ['Header("a", "\\q")', 'has an escape that is not known (character 13)'],
    ['Host(`a`) && Host(`b`)', 'can never match: its parts exclude each other (character 1)'],
    ['Header(`a`,`1`) && Header(`a`,`2`)', 'can never match: its parts exclude each other (character 1)'],
    [`${'('.repeat(40)}Host(\`a\`)${')'.repeat(40)}`, 'is nested too deep (character 34)'],
    [Array(5).fill('(PathPrefix(`/`) || PathPrefix(`/`, `/`))').join(' && '), 'stands for more than 64 routes (character 1)'],
    [Array(65).fill('PathPrefix(`/a`)').join(' || '), 'stands for more than 64 routes (character 1)'],
  ]; // prettier-ignore
  it.each(refused)('refuses %s', (rule, message) => {
    expect(() => matches(rule)).toThrow(
      new RuleError(message.replace(/ \(character \d+\)$/, ''), Number(/(\d+)\)$/.exec(message)?.[1])),
    );
  });
});
