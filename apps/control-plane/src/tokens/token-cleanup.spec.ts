import { createLogging } from '#libs/logging';
import { StoreUnavailableError } from '#libs/store';
import { TokenCleanup } from './token-cleanup';

const lines: Array<Record<string, unknown>> = [];
const { logger } = createLogging(
  { logLevel: 'info' },
  { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
);
const HOUR_MS = 3_600_000;

describe('the hourly cleanup', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    lines.length = 0;
  });
  afterEach(() => jest.useRealTimers());

  it('goes on until there is no more, and says how much it was', async () => {
    const rounds = [true, true, false];
    const cleanup = jest.fn(() =>
      Promise.resolve({ tokens: 600, revocations: 400, more: rounds.shift() ?? false }),
    );
    const cleaning = new TokenCleanup({ cleanup }, logger);
    cleaning.start();
    await jest.advanceTimersByTimeAsync(HOUR_MS - 1);
    expect(cleanup).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(cleanup).toHaveBeenCalledTimes(3);
    expect(lines).toMatchObject([{ level: 'info', tokens: 1800, revocations: 1200 }]);
    await cleaning.stop();
    await jest.advanceTimersByTimeAsync(5 * HOUR_MS);
    expect(cleanup).toHaveBeenCalledTimes(3);
  });

  it('tries again an hour later when the store is away', async () => {
    const cleanup = jest
      .fn(() => Promise.resolve({ tokens: 1, revocations: 0, more: false }))
      .mockRejectedValueOnce(new StoreUnavailableError());
    const cleaning = new TokenCleanup({ cleanup }, logger);
    cleaning.start();
    await jest.advanceTimersByTimeAsync(2 * HOUR_MS);
    expect(cleanup).toHaveBeenCalledTimes(2);
    expect(lines).toMatchObject([{ level: 'info' }, { level: 'info', tokens: 1 }]);
    await cleaning.stop();
  });

  it('ends in the middle when it is stopped', async () => {
    const cleaning: TokenCleanup = new TokenCleanup(
      {
        cleanup: () => {
          void cleaning.stop();
          return Promise.resolve({ tokens: 1, revocations: 0, more: true });
        },
      },
      logger,
    );
    cleaning.start();
    await jest.advanceTimersByTimeAsync(HOUR_MS);
    await cleaning.stop();
    expect(lines).toMatchObject([{ tokens: 1 }]);
  });
});
