import { checkPlan, type Plan } from './plan';
import { rateSegments } from './rating';
import { createStatement, toJson, type BilledKey, type Statement, type StatementParts } from './statement';
import { verifyStatement } from './verify-statement';

const MILLI = 1_000_000n;
const planOf = (terms: object): Plan =>
  checkPlan({ id: 'gold', name: 'Gold', currency: 'EUR', ...terms }).plan!;
const PER_REQUEST = planOf({ id: 'basic', name: 'Basic', model: 'per_request' });
const FLAT = planOf({ model: 'flat', fee: '49.90' });

function statementOf(keys: Record<string, BilledKey> = {}, parts: Partial<StatementParts> = {}): Statement {
  return createStatement({
    id: 'st-1',
    tenantId: 'acme',
    cycle: 3,
    openedAt: '2025-01-01T00:00:00.000Z',
    closedAt: '2025-02-01T00:00:00.000Z',
    plans: [PER_REQUEST, FLAT],
    rated: rateSegments([
      {
        plan: PER_REQUEST,
        lines: [
          { keyId: 'k1', units: 3n, cost: 3n * MILLI },
          { keyId: 'k2', units: 2n, cost: 7n * MILLI },
        ],
      },
      { plan: FLAT, lines: [] },
    ]),
    keys: new Map(Object.entries({ k1: { name: 'mobile', serviceId: 'users', price: MILLI }, ...keys })),
    ...parts,
  });
}

describe('a statement', () => {
  it('says what is owed, in decimal texts', () => {
    expect(statementOf()).toEqual({
      id: 'st-1',
      tenantId: 'acme',
      cycle: 3,
      currency: 'EUR',
      openedAt: '2025-01-01T00:00:00.000Z',
      closedAt: '2025-02-01T00:00:00.000Z',
      plans: [
        { id: 'basic', name: 'Basic', currency: 'EUR', model: 'per_request' },
        { id: 'gold', name: 'Gold', currency: 'EUR', model: 'flat', fee: '49.9' },
      ],
      lines: [
        {
          keyId: 'k1',
          keyName: 'mobile',
          serviceId: 'users',
          requests: 3,
          unitPrice: '0.001',
          cost: '0.003',
        },
        { keyId: 'k2', keyName: 'k2', requests: 2, cost: '0.007' },
      ],
      fees: [{ planId: 'gold', amount: '49.9' }],
      total: '49.91',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it.each<[title: string, price: bigint, unitPrice?: string]>([
    ['was the price of all requests', 3_500_000n, '0.0035'],
    ['was not', 4n * MILLI, undefined],
  ])('gives the price of a key if it %s', (_, price, unitPrice) => {
    expect(statementOf({ k2: { name: 'web', price } }).lines[1]!.unitPrice).toBe(unitPrice);
  });

  it('gives the price of the plan, whatever the key has, and none for no requests', () => {
    const priced = planOf({ model: 'per_request', price: 2 });
    const lines = [
      { keyId: 'k1', units: 1n, cost: 5n },
      { keyId: 'k2', units: 0n, cost: 0n },
    ];
    const statement = statementOf({}, { plans: [priced], rated: rateSegments([{ plan: priced, lines }]) });
    expect(statement.lines.map(({ unitPrice }) => unitPrice)).toEqual(['2', undefined]);
  });

  it('stays as it is', () => {
    const statement = statementOf();
    const { lines, plans, fees } = statement;
    for (const part of [statement, lines, lines[0], plans, plans[1], fees, fees[0]]) {
      expect(() => Object.assign(part!, { 0: '0', cost: '0' })).toThrow(TypeError);
    }
  });

  it('does not round a count that JSON cannot hold', () => {
    const lines = [{ keyId: 'k1', units: 2n ** 53n, cost: 0n }];
    expect(() => statementOf({}, { rated: rateSegments([{ plan: FLAT, lines }]) })).toThrow(RangeError);
  });

  it.each(['plain', 'quote " and \\', 'ünï ☃ 😀', '\u2028 \u0000', '\ud800'])(
    'passes verification after it was stored and read: %j',
    (name) => {
      const statement = statementOf({ k2: { name } });
      const stored = JSON.parse(toJson(statement)) as unknown;
      expect(verifyStatement(stored, statement.digest)).toEqual({ statement });
    },
  );
});
