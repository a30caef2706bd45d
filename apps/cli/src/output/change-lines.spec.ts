import { changeLines, titleOfChange, type ObjectChange } from './change-lines';

const plain = { paint: (text: string): string => text };

describe('what a change makes of an object', () => {
  it.each<[ObjectChange, string]>([
    [{ kind: 'tenant', id: 'acme', tenantId: 'acme', change: 'created' }, '+ tenant acme'],
    [{ kind: 'service', id: '7', tenantId: 'acme', change: 'updated' }, '~ service acme/7'],
    [{ kind: 'plan', id: 'gold', change: 'deleted' }, '- plan gold'],
    // Ids in documents of other programs are theirs.
    [{ kind: 'tenant', id: 'a\u001b[2J', change: 'deleted' }, '- tenant a\\x1b[2J'],
  ])('%j is told as %j', (change, title) => {
    expect(titleOfChange(change)).toBe(title);
    expect(changeLines(change, plain)).toEqual([title]);
  });

  it('has a line for each member that has become another', () => {
    const patch = [
      { path: '/name', before: 'a', after: 'b' },
      { path: '/suspended', before: true },
      { path: '/idp', after: { secrets: ['(secret)'] } },
      { path: '/gone', before: null, after: 0 },
    ];
    expect(changeLines({ kind: 'tenant', id: 'acme', change: 'updated', patch }, plain)).toEqual([
      '~ tenant acme',
      '    ~ /name: a -> b',
      '    - /suspended: true',
      '    + /idp: {"secrets":["(secret)"]}',
      '    ~ /gone: - -> 0',
    ]);
  });
});
