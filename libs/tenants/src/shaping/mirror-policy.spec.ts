import { ServedMirror } from './mirror-policy';

it.each<[policy: object, method: string, taken: boolean]>([
  [{}, 'GET', true],
  [{}, 'HEAD', true],
  [{}, 'POST', false],
  [{}, 'DELETE', false],
  [{ methods: ['POST'] }, 'POST', true],
  [{ methods: ['POST'] }, 'GET', false],
  [{ percent: 0 }, 'GET', false],
])('%j: %s is copied: %s', (policy, method, taken) => {
  expect(new ServedMirror({ url: 'http://u.test', ...policy }).takes(method)).toBe(taken);
});

it('takes its share', () => {
  const mirror = new ServedMirror({ url: 'http://u.test', percent: 25 });
  const random = jest.spyOn(Math, 'random');
  const taken = [0, 0.24, 0.25, 0.9].map((value) => {
    random.mockReturnValueOnce(value);
    return mirror.takes('GET');
  });
  expect(taken).toEqual([true, true, false, false]);
  random.mockRestore();
});

it('is left in peace after ten failures in a row, and after its pause at the first one', () => {
  const mirror = new ServedMirror({ url: 'http://u.test' });
  for (let i = 0; i < 9; i++) expect(mirror.note(true, 0)).toBe(false);
  mirror.note(false, 0);
  for (let i = 0; i < 9; i++) expect(mirror.note(true, 0)).toBe(false);
  expect([mirror.isPaused(0), mirror.note(true, 0), mirror.isPaused(29_999)]).toEqual([false, true, true]);
  // Those that were under way say nothing new.
  expect(mirror.note(true, 1000)).toBe(false);
  expect([mirror.isPaused(30_000), mirror.note(true, 30_000)]).toEqual([false, true]);
  expect([mirror.isPaused(60_000), mirror.note(false, 60_000), mirror.note(true, 60_000)]).toEqual([
    false,
    false,
    false,
  ]);
});
