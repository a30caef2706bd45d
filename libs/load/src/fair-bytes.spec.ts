import { FairBytes } from './fair-bytes';

const LIMIT = 1200;
/** Takes as much as there is for a tenant, by pieces. */
function fill(memory: FairBytes, tenantId: string, now = 0, piece = 10): number {
  let taken = 0;
  while (memory.take(tenantId, piece, now)) taken += piece;
  return taken;
}

it('a tenant alone may have everything, and what it gives back', () => {
  const memory = new FairBytes(LIMIT);
  expect(fill(memory, 'a')).toBe(LIMIT);
  expect(memory.take('a', 1, 0)).toBe(false);
  memory.giveBack('a', 30);
  expect([memory.held, fill(memory, 'a')]).toEqual([LIMIT - 30, 30]);
});

it('as soon as a second one has been there, the first has half, and the second its own half', () => {
  const memory = new FairBytes(LIMIT);
  memory.take('b', 10, 0);
  memory.giveBack('b', 10);
  expect(fill(memory, 'a')).toBe(600);
  expect(fill(memory, 'b')).toBe(600);
});

it('a third one finds room, however much the others want', () => {
  const memory = new FairBytes(LIMIT);
  for (const id of ['a', 'b', 'c']) memory.take(id, 0, 0);
  expect(fill(memory, 'a')).toBe(600);
  expect(fill(memory, 'b')).toBe(400);
  expect(fill(memory, 'c')).toBe(200);
  // Once the first has given back, it is held to the share of three.
  memory.giveBack('a', 600);
  expect([fill(memory, 'c'), fill(memory, 'a')]).toEqual([200, 400]);
});

it('what many leave unused is anybody’s, but for as much again', () => {
  const memory = new FairBytes(LIMIT);
  for (let i = 0; i < 20; i++) memory.take(`quiet-${i}`, 1, 0);
  expect(fill(memory, 'a', 0, 1)).toBe((LIMIT - 20) / 2);
  expect(memory.take('quiet-0', LIMIT / 21 - 1, 0)).toBe(true);
});

it('who holds too much when others come keeps it, and gets no more', () => {
  const memory = new FairBytes(LIMIT);
  expect(memory.take('a', 1000, 0)).toBe(true);
  expect(fill(memory, 'b')).toBe(200);
  memory.giveBack('a', 300);
  expect(memory.take('a', 1, 0)).toBe(false);
  expect(fill(memory, 'b')).toBe(300);
});

it('a tenant that was not seen for a minute is forgotten, and leaves its place to the others', () => {
  const memory = new FairBytes(LIMIT);
  memory.take('b', 10, 0);
  memory.giveBack('b', 10);
  expect(fill(memory, 'a', 59_000)).toBe(600);
  expect(fill(memory, 'a', 90_000)).toBe(600);
  expect(memory.known).toBe(1);
});

it('nothing is given out twice, and nothing is left when all has been given back', () => {
  const memory = new FairBytes(LIMIT);
  const held = new Map<string, number>();
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 16_807) % 2_147_483_647) % below;
  for (let i = 0; i < 1000; i++) {
    const id = `t${random(6)}`;
    const bytes = random(90);
    const own = held.get(id) ?? 0;
    if (random(2) === 0 && own > 0) {
      const back = Math.min(own, bytes);
      memory.giveBack(id, back);
      held.set(id, own - back);
    } else if (memory.take(id, bytes, i)) held.set(id, own + bytes);
    expect(memory.held).toBe([...held.values()].reduce((sum, one) => sum + one, 0));
    expect(memory.held).toBeLessThanOrEqual(LIMIT);
  }
  for (const [id, bytes] of held) memory.giveBack(id, bytes);
  expect([memory.held, fill(memory, 'last', 10_000_000)]).toEqual([0, LIMIT]);
});
