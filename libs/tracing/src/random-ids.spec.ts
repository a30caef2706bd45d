import { RandomIds } from './random-ids';

it('draws ids of the right length that do not come again', () => {
  const ids = new RandomIds();
  const drawn = new Set<string>();
  for (let i = 0; i < 5000; i++) {
    const [trace, span] = [ids.traceId(), ids.spanId()];
    expect(trace).toMatch(/^[0-9a-f]{32}$/);
    expect(span).toMatch(/^[0-9a-f]{16}$/);
    drawn.add(trace).add(span);
  }
  expect(drawn.size).toBe(10_000);
});
