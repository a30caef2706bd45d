import { OutcomeWindow } from './outcome-window';

describe('a window', () => {
  const T = 1_800_000_000_000;
  const counts = ({ requests, failed, slow }: OutcomeWindow): number[] => [requests, failed, slow];

  it('counts what ended within its length, to a tenth of it', () => {
    const window = new OutcomeWindow(1000);
    window.note(true, false, T);
    window.note(false, true, T + 99);
    window.note(true, true, T + 100);
    expect(counts(window)).toEqual([3, 2, 2]);
    window.advance(T + 999);
    expect(counts(window)).toEqual([3, 2, 2]);
    window.advance(T + 1000);
    expect(counts(window)).toEqual([1, 1, 1]);
    window.advance(T + 1100);
    expect(counts(window)).toEqual([0, 0, 0]);
  });

  it('never counts below nothing, however its parts come and go', () => {
    const window = new OutcomeWindow(10);
    let noted = 0;
    for (let now = T; now < T + 500; now += [0, 1, 3, 11, 2][now % 5] as number) {
      window.note(now % 2 === 0, now % 3 === 0, now);
      noted += 1;
      expect(window.requests).toBeGreaterThan(0);
      expect(window.requests).toBeGreaterThanOrEqual(Math.max(window.failed, window.slow));
      expect(window.requests).toBeLessThanOrEqual(noted);
      if (now % 5 === 0) now += 1;
    }
    window.advance(T + 10_000);
    expect(counts(window)).toEqual([0, 0, 0]);
  });

  it('goes on counting when the clock is set back', () => {
    const window = new OutcomeWindow(1000);
    window.note(true, false, T);
    window.note(true, false, T - 60_000);
    expect(counts(window)).toEqual([2, 2, 0]);
    window.clear();
    expect(counts(window)).toEqual([0, 0, 0]);
    window.note(false, false, T + 1);
    expect(counts(window)).toEqual([1, 0, 0]);
  });
});
