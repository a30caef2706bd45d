import { checkPlan, planDocument, type Plan } from './plan';

const HEADING = { id: 'gold', name: 'Gold', currency: 'EUR' };
const FLAT = { ...HEADING, model: 'flat', fee: '49.90' };
const PER_REQUEST = { ...HEADING, model: 'per_request', price: 0.002 };
const TIERED = {
  ...HEADING,
  model: 'tiered',
  tiers: [
    { upTo: 1000, price: '0.001' },
    { upTo: 10_000, price: 0.0005 },
    { upTo: null, price: 0 },
  ],
};
const INCLUDED = { ...HEADING, model: 'included', fee: 10, includedRequests: 5000, overagePrice: '0.003' };

const fieldsOf = (document: unknown): string[] =>
  (checkPlan(document).problems ?? []).map(({ field }) => field);

describe('makes a plan of', () => {
  it.each<[title: string, document: object, plan: object]>([
    ['a flat fee', FLAT, { ...FLAT, fee: 49_900_000_000n }],
    ['a price per request', PER_REQUEST, { ...PER_REQUEST, price: 2_000_000n }],
    ['the prices of the keys', { ...HEADING, model: 'per_request' }, { ...HEADING, model: 'per_request' }],
    [
      'tiers',
      TIERED,
      {
        ...TIERED,
        tiers: [
          { upTo: 1000, price: 1_000_000n },
          { upTo: 10_000, price: 500_000n },
          { upTo: null, price: 0n },
        ],
      },
    ],
    [
      'one tier',
      { ...TIERED, tiers: [{ upTo: null, price: 1 }] },
      { ...TIERED, tiers: [{ upTo: null, price: 1_000_000_000n }] },
    ],
    ['included requests', INCLUDED, { ...INCLUDED, fee: 10_000_000_000n, overagePrice: 3_000_000n }],
    ['no included requests', { ...INCLUDED, includedRequests: 0 }, { includedRequests: 0 }],
    ['a plan that bills cache hits', { ...FLAT, billsCacheHits: true }, { billsCacheHits: true }],
    ['a plan that says it does not', { ...FLAT, billsCacheHits: false }, { billsCacheHits: false }],
    ['an id of all kinds', { ...FLAT, id: '0.A_b-c' }, { id: '0.A_b-c' }],
    ['the longest id', { ...FLAT, id: 'a'.repeat(64) }, { id: 'a'.repeat(64) }],
    ['the longest name', { ...FLAT, name: 'n'.repeat(200) }, { name: 'n'.repeat(200) }],
  ])('%s', (_, document, plan) => {
    const checked = checkPlan(document);
    expect(checked).toEqual({ plan: expect.objectContaining(plan) });
    expect(Object.keys(checked.plan!).sort()).toEqual(Object.keys(document).sort());
  });
});

it('makes a hundred tiers, and not one more', () => {
  const tiers = (count: number): object[] =>
    Array.from({ length: count }, (_, i) => ({ upTo: i === count - 1 ? null : i + 1, price: 1 }));
  const { plan } = checkPlan({ ...TIERED, tiers: tiers(100) });
  expect(plan).toMatchObject({ tiers: { length: 100 } });
  expect(fieldsOf({ ...TIERED, tiers: tiers(101) })).toEqual(['tiers']);
});

it.each([FLAT, PER_REQUEST, TIERED, INCLUDED, { ...FLAT, billsCacheHits: true }])(
  'reads a plan back from what it wrote: %j',
  (document) => {
    const plan = checkPlan(document).plan!;
    const stored = JSON.parse(JSON.stringify(planDocument(plan))) as unknown;
    expect(checkPlan(stored)).toEqual({ plan });
  },
);

it('writes amounts as decimal texts', () => {
  expect(planDocument(checkPlan(TIERED).plan as Plan)).toEqual({
    ...HEADING,
    model: 'tiered',
    tiers: [
      { upTo: 1000, price: '0.001' },
      { upTo: 10_000, price: '0.0005' },
      { upTo: null, price: '0' },
    ],
  });
});

describe('refuses, naming the field', () => {
  const BAD_PRICES = [
    -1,
    -0.001,
    NaN,
    JSON.parse('1e309'),
    1_000_001,
    1e-10,
    '',
    '1e309',
    '-1',
    true,
    null,
    [1],
    {},
  ];
  const lastTier = { upTo: null, price: 0 };
  const tiers = (...list: unknown[]): object => ({ ...TIERED, tiers: list });

  it.each<[field: string, documents: unknown[]]>([
    ['', [null, undefined, [], 'flat', 7]],
    [
      'id',
      ['', 'a'.repeat(65), '.a', '-a', 'a b', 'a/b', 'ä', 'a\n', 7, null, undefined].map((id) => ({ ...FLAT, id })),
    ],
    ['name', ['', '  ', 'n'.repeat(201), 7, null, undefined].map((name) => ({ ...FLAT, name }))],
    ['currency', ['eur', 'XYZ', 'EURO', '', 978, null, undefined].map((currency) => ({ ...FLAT, currency }))],
    ['billsCacheHits', ['true', 1, null].map((billsCacheHits) => ({ ...FLAT, billsCacheHits }))],
    [
      'model',
      ['', 'Flat', 'constructor', ['flat'], { type: 'flat' }, null, undefined].map((model) => ({ ...FLAT, model })),
    ],
    ['fee', [...BAD_PRICES, undefined].map((fee) => ({ ...FLAT, fee }))],
    ['price', BAD_PRICES.map((price) => ({ ...PER_REQUEST, price }))],
    ['fee', [...BAD_PRICES, undefined].map((fee) => ({ ...INCLUDED, fee }))],
    ['overagePrice', [...BAD_PRICES, undefined].map((overagePrice) => ({ ...INCLUDED, overagePrice }))],
    [
      'includedRequests',
      [-1, 1.5, 2 ** 53, NaN, Infinity, '5', null, undefined].map((includedRequests) => ({
        ...INCLUDED,
        includedRequests,
      })),
    ],
    ['tiers', [[], {}, '0.001', null, undefined].map((list) => ({ ...TIERED, tiers: list }))],
    ['tiers.1', [null, 7, [], 'x', undefined].map((tier) => tiers({ upTo: 1, price: 0 }, tier))],
    ['tiers.0.price', [...BAD_PRICES, undefined].map((price) => tiers({ upTo: null, price }))],
    // The end is missing.
    ['tiers.0.upTo', [1000, 0, '', undefined].map((upTo) => tiers({ upTo, price: 0 }))],
    ['tiers.2.upTo', [tiers({ upTo: 1, price: 0 }, { upTo: 2, price: 0 }, { upTo: 3, price: 0 })]],
    // Overlapping or out of order, or no number at all; null is the end, and not in the middle.
    [
      'tiers.1.upTo',
      [1000, 999, 1, 0, -1, 1000.5, 2 ** 53, '2000', NaN, Infinity, null, undefined].map((upTo) =>
        tiers({ upTo: 1000, price: 0 }, { upTo, price: 0 }, lastTier),
      ),
    ],
    ['tiers.0.upTo', [0, -5].map((upTo) => tiers({ upTo, price: 0 }, lastTier))],
    ['tiers.1.from', [tiers({ upTo: 1, price: 0 }, { ...lastTier, from: 1 })]],
    // A misspelt field, and those of other models.
    ['prise', [FLAT, PER_REQUEST, TIERED, INCLUDED].map((plan) => ({ ...plan, prise: 1 }))],
    ['fee', [PER_REQUEST, TIERED].map((plan) => ({ ...plan, fee: 1 }))],
    ['price', [FLAT, TIERED, INCLUDED].map((plan) => ({ ...plan, price: 1 }))],
    ['tiers', [FLAT, PER_REQUEST, INCLUDED].map((plan) => ({ ...plan, tiers: TIERED.tiers }))],
    ['overagePrice', [{ ...FLAT, overagePrice: undefined }]],
    ['__proto__', [JSON.parse(`{"__proto__": {}, ${JSON.stringify(FLAT).slice(1)}`)]],
  ])('%s', (field, documents) => {
    for (const document of documents) expect([document, fieldsOf(document)]).toEqual([document, [field]]);
  }); // prettier-ignore

  it('every field that is wrong, not only the first', () => {
    const document = {
      ...tiers({ upTo: 5, price: -1 }, { upTo: 3, price: 0 }, { upTo: 4, price: 0 }, { upTo: 9, price: 'x' }),
      id: '',
      currency: 'XXY',
      colour: 'red',
    };
    expect(fieldsOf(document)).toEqual([
      'id',
      'currency',
      'colour',
      'tiers.0.price',
      'tiers.1.upTo',
      'tiers.2.upTo',
      'tiers.3.upTo',
      'tiers.3.price',
    ]);
  });
});
