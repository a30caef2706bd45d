import { createHash } from 'node:crypto';
import type { Statement } from './statement';
import { verifyStatement } from './verify-statement';

const lines = [
  { keyId: 'k1', keyName: 'mobile', serviceId: 'users', requests: 3, unitPrice: '0.001', cost: '0.003' },
  { keyId: 'k2', keyName: 'k2', requests: 2, cost: '0.007' },
];
const fees = [{ planId: 'gold', amount: '49.9' }];
const DOCUMENT = withDigest({
  id: 'st-1',
  tenantId: 'acme',
  cycle: 3,
  currency: 'EUR',
  openedAt: '2025-01-01T00:00:00.000Z',
  closedAt: '2025-02-01T00:00:00.000Z',
  plans: [{ id: 'gold', name: 'Gold', currency: 'EUR', model: 'flat', fee: '49.9' }],
  lines,
  fees,
  total: '49.91',
});

/** The digest by its definition, written down a second time. */
function withDigest(document: unknown): Statement {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
  };
  const { digest: _, ...content } = document as Statement;
  return {
    ...content,
    digest: createHash('sha256')
      .update(JSON.stringify(sorted(content)))
      .digest('hex'),
  };
}

type Changes = Record<string, unknown>;

/** As it comes back from the store, changed on the way: by dotted paths; undefined takes a field away. */
function stored(changes: Changes): unknown {
  const document = structuredClone(DOCUMENT) as unknown as Changes;
  for (const [path, value] of Object.entries(changes)) {
    const fields = path.split('.');
    const last = fields.pop()!;
    const parent = fields.reduce((of, field) => of[field] as Changes, document);
    parent[last] = value;
  }
  return JSON.parse(JSON.stringify(document));
}

const fieldsOf = (document: unknown, recorded?: string): string[] =>
  (verifyStatement(document, recorded).problems ?? []).map(({ field }) => field);

it('passes a statement as it was made, in whatever order its members come', () => {
  const statement = DOCUMENT;
  expect(verifyStatement(stored({}))).toEqual({ statement });
  expect(verifyStatement(stored({}), statement.digest)).toEqual({ statement });
  expect(fieldsOf(Object.fromEntries(Object.entries(DOCUMENT).reverse()))).toEqual([]);
});

it('gives a frozen copy and leaves the document as it was', () => {
  const document = stored({}) as Statement;
  const { statement } = verifyStatement(document);
  expect([Object.isFrozen(statement), Object.isFrozen(statement!.lines[0])]).toEqual([true, true]);
  expect([Object.isFrozen(document), Object.isFrozen(document.lines[0])]).toEqual([false, false]);
});

it.each<[title: string, changes: Changes]>([
  ['whose it is', { tenantId: 'beta' }],
  ['its time', { closedAt: '2025-03-01T00:00:00.000Z' }],
  ['the name of a key', { 'lines.0.keyName': 'Mobile' }],
  ['a plan', { 'plans.0.name': 'Free' }],
  ['the order of the lines', { lines: [...lines].reverse() }],
  ['a field more', { note: 'paid' }],
  ['a field less', { 'lines.0.serviceId': undefined }],
  ['amounts that still add up', { 'lines.1.cost': '0.008', 'fees.0.amount': '49.899' }],
  ['the digest itself', { digest: 'f'.repeat(64) }],
  ['no digest', { digest: undefined }],
])('shows a change: %s', (_, changes) => {
  expect(fieldsOf(stored(changes))).toEqual(['digest']);
});

it('shows a change under a new digest, by the one that was recorded', () => {
  const forged = withDigest(stored({ 'lines.0.keyName': 'Mobile' }));
  expect(fieldsOf(forged)).toEqual([]);
  expect(verifyStatement(forged, DOCUMENT.digest).problems).toEqual([
    { field: 'digest', message: 'is not the one that was recorded' },
  ]);
});

it.each<[field: string, changes: Changes]>([
  ['total', { total: '49.909999999' }],
  ['total', { fees: [...fees, { planId: 'silver', amount: '1' }] }],
  ['total', { lines: lines.slice(1) }],
  ['lines.0.unitPrice', { 'lines.0.unitPrice': '0.002' }],
  ['lines.0.unitPrice', { 'lines.0.requests': 4 }],
])('shows amounts that do not fit, under a new digest too: %s %j', (field, changes) => {
  expect(fieldsOf(withDigest(stored(changes)))).toEqual([field]);
});

it.each<[field: string, changes: Changes]>([
  ['id', { id: undefined }],
  ['tenantId', { tenantId: 7 }],
  ['currency', { currency: null }],
  ['openedAt', { openedAt: undefined }],
  ['closedAt', { closedAt: undefined }],
  ['cycle', { cycle: '3' }],
  ['plans', { plans: {} }],
  ['lines.1.keyId', { 'lines.1.keyId': undefined }],
  ['lines.1.keyName', { 'lines.1.keyName': null }],
  ['lines.1.requests', { 'lines.1.requests': -2 }],
  // The sum would be right.
  ['lines.1.cost', { 'lines.1.cost': '-0.007', 'fees.0.amount': '49.914' }],
  ['lines.1.cost', { 'lines.1.cost': 0, total: '49.903' }],
  ['fees.0.planId', { 'fees.0.planId': undefined }],
  ['fees.0.amount', { 'fees.0.amount': '1e1', total: '0.01' }],
])('refuses what is no statement, under a new digest too: %s %j', (field, changes) => {
  expect(fieldsOf(withDigest(stored(changes)))).toEqual([field]);
});

it.each<[fields: string[], changes: Changes]>([
  [['lines', 'total'], { lines: {} }],
  [['fees', 'total'], { fees: undefined }],
  [['total', 'total'], { total: 49.91 }],
  [['lines.0.unitPrice', 'lines.0.unitPrice'], { 'lines.0.unitPrice': 0.001 }],
  [['lines.0.keyId', 'lines.0.keyName', 'lines.0.cost', 'lines.0.requests', 'total'], { 'lines.0': null }],
])('says all that is wrong: %j', (fields, changes) => {
  expect(fieldsOf(withDigest(stored(changes)))).toEqual(fields);
});

it.each([null, undefined, [], 'x', 7])('refuses %p', (document) => {
  expect(fieldsOf(document)).toEqual(['']);
});
