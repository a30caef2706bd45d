import { compare, patchBetween } from './compare';

const describeChange = ({ sign, field, before, after }: ReturnType<typeof compare>[number]): string =>
  `${sign} ${field} ${JSON.stringify(before) ?? ''}>${JSON.stringify(after) ?? ''}`;

describe('compare', () => {
  it.each<[string, unknown, unknown, string[]]>([
    ['equal documents', { a: 1, b: [1] }, { b: [1], a: 1 }, []],
    ['absent and undefined alike', { a: undefined }, {}, []],
    ['a changed field', { a: { b: 1 } }, { a: { b: 2 } }, ['~ a.b 1>2']],
    ['added and removed fields', { a: 1 }, { b: 2 }, ['- a 1>', '+ b >2']],
    ['another type', { a: [1] }, { a: { x: 1 } }, ['~ a [1]>{"x":1}']],
    ['a list without names, by position', { l: [1, 2] }, { l: [1, 3, 4] }, ['~ l.1 2>3', '+ l.2 >4']],
    [
      'a list with names: one that is put in front changes no other',
      { routes: [{ name: 'b', path: '/b' }] },
      { routes: [{ name: 'a' }, { name: 'b', path: '/c' }] },
      ['~ routes.b.path "/b">"/c"', '+ routes.a >{"name":"a"}'],
    ],
    [
      'a list whose names are not unique, by position',
      { l: [{ path: '/a' }, { path: '/a' }] },
      { l: [{ path: '/a' }, { path: '/a', methods: ['GET'] }] },
      ['+ l.1.methods >["GET"]'],
    ],
    [
      'another order of names',
      { l: [{ name: 'a' }, { name: 'b' }] },
      { l: [{ name: 'b' }, { name: 'a' }] },
      ['~ l "one order">"another"'],
    ],
  ])('tells %s', (_title, before, after, expected) => {
    expect(compare(before, after).map(describeChange)).toEqual(expected);
  });
});

describe('patchBetween', () => {
  it.each([
    [{ a: 1, b: 2 }, { a: 1 }, { b: null }],
    [{ a: { x: 1, y: 2 } }, { a: { x: 1, z: 3 } }, { a: { y: null, z: 3 } }],
    [{ l: [1, 2] }, { l: [2] }, { l: [2] }],
    [{ a: { x: 1 } }, { a: [1] }, { a: [1] }],
    [{ a: 1 }, { a: 1, b: undefined }, {}],
  ])('leads from %j to %j', (before, after, patch) => {
    expect(patchBetween(before, after)).toEqual(patch);
  });
});
