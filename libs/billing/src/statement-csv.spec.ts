import type { Statement } from './statement';
import { toCsv } from './statement-csv';

const K2 = { keyId: 'k2', keyName: 'web', requests: 2, cost: '0.007' };
const STATEMENT: Statement = {
  id: 'st-1',
  tenantId: 'acme',
  cycle: 3,
  currency: 'EUR',
  openedAt: '2025-01-01T00:00:00.000Z',
  closedAt: '2025-02-01T00:00:00.000Z',
  plans: [],
  lines: [
    { keyId: 'k1', keyName: 'mobile', serviceId: 'users', requests: 3, unitPrice: '0.001', cost: '0.003' },
    K2,
  ],
  fees: [{ planId: 'gold', amount: '49.9' }],
  total: '49.91',
  digest: '',
};

it('has a row per key, per fee, and for the total', () => {
  expect(toCsv(STATEMENT).split('\r\n')).toEqual([
    'statementId,tenantId,cycle,currency,item,keyId,keyName,serviceId,planId,requests,unitPrice,amount',
    'st-1,acme,3,EUR,requests,k1,mobile,users,,3,0.001,0.003',
    'st-1,acme,3,EUR,requests,k2,web,,,2,,0.007',
    'st-1,acme,3,EUR,fee,,,,gold,,,49.9',
    'st-1,acme,3,EUR,total,,,,,,,49.91',
    '',
  ]);
});

it.each<[name: string, cell: string]>([
  ['a,b', '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ['two\r\nlines', '"two\r\nlines"'],
  ['two\nlines', '"two\nlines"'],
  ['two\rlines', '"two\rlines"'],
  [' spaces ', ' spaces '],
  ['a=b', 'a=b'],
  ['x@y', 'x@y'],
  ["'quoted", "'quoted"],
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['\r=1', `"'\r=1"`],
  ['\n=1', `"'\n=1"`],
  ['＝1+1', "'＝1+1"],
  ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
])('writes the name %j as %j', (name, cell) => {
  expect(toCsv({ ...STATEMENT, lines: [{ ...K2, keyName: name }] })).toContain(
    `\r\nst-1,acme,3,EUR,requests,k2,${cell},,,2,,0.007\r\n`,
  );
});

it('guards every text that somebody chose', () => {
  const [, ofKey, ofFee] = toCsv({
    ...STATEMENT,
    id: '=id',
    tenantId: '+t',
    lines: [{ keyId: '=k', keyName: '+n', serviceId: '-s', requests: 1, cost: '0' }],
    fees: [{ planId: '@plan', amount: '49.9' }],
  }).split('\r\n');
  expect(ofKey).toBe("'=id,'+t,3,EUR,requests,'=k,'+n,'-s,,1,,0");
  expect(ofFee).toBe("'=id,'+t,3,EUR,fee,,,,'@plan,,,49.9");
});
