import { PaceWatch, type Paced } from './pace-watch';

class Body implements Paced {
  progress = 0;
  resting = false;
  slow = 0;
  tooSlow(): void {
    this.slow += 1;
  }
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

function run(watch: PaceWatch, body: Body, seconds: number, each: (second: number) => void): void {
  watch.watch(body);
  for (let second = 1; second <= seconds; second++) {
    each(second);
    jest.advanceTimersByTime(1000);
  }
}

describe('what is watched', () => {
  it.each([
    ['keeps the pace', 100, 60, 0],
    ['is too slow', 99, 60, 1],
    ['stands still', 0, 9, 0],
    ['stands still for a window', 0, 11, 1],
  ])('%s', (_, bytes, seconds, slow) => {
    const watch = new PaceWatch(100, 10_000);
    const body = new Body();
    run(watch, body, seconds, () => (body.progress += bytes));
    expect(body.slow).toBe(slow);
    watch.close();
  });

  it('may pause within a window, and rest for as long as it is held up by others', () => {
    const watch = new PaceWatch(100, 10_000);
    const body = new Body();
    run(watch, body, 60, (second) => {
      body.resting = second > 20 && second < 50;
      if (second % 8 === 0 && !body.resting) body.progress += 2000;
    });
    expect(body.slow).toBe(0);
    watch.close();
  });

  it('is let go of, and the timer with it', () => {
    const watch = new PaceWatch(1, 1000);
    const body = new Body();
    watch.watch(body);
    watch.watch(body);
    watch.unwatch(body);
    expect([watch.size, jest.getTimerCount()]).toEqual([0, 0]);
  });

  it('is nothing where there is no pace to keep', () => {
    const watch = new PaceWatch(0, 1000);
    watch.watch(new Body());
    expect([watch.size, jest.getTimerCount()]).toEqual([0, 0]);
  });
});
