import { backoffMs, servedRetries, type RetryPolicy } from './retry-policy';
import { checkRetries } from './check-retries';

const served = (policy: RetryPolicy) =>
  servedRetries(policy) as NonNullable<ReturnType<typeof servedRetries>>;

it('has defaults for everything, and is the same object for the same policy', () => {
  expect(served({})).toEqual({
    attempts: 2,
    backoffMs: 25,
    maxBackoffMs: 250,
    jitter: true,
    statuses: new Set([502, 503, 504]),
    perTryTimeoutMs: undefined,
    bodyBytes: 65_536,
    exhaustedStatus: undefined,
  });
  expect(served({ attempts: 3 })).toBe(served({ attempts: 3 }));
  expect(servedRetries(undefined)).toBeUndefined();
});

describe('waits', () => {
  it.each<[policy: RetryPolicy, waits: number[]]>([
    [{ backoffMs: 1000, maxBackoffMs: 60_000 }, [1000, 2000, 4000, 8000]],
    [{ backoffMs: 1000, maxBackoffMs: 3000 }, [1000, 2000, 3000, 3000]],
    [{ backoffMs: 25 }, [25, 50, 100, 200, 250]],
    [{ backoffMs: 0 }, [0, 0, 0]],
  ])('of %j are %j, and with jitter anything up to them', (policy, waits) => {
    waits.forEach((wait, i) => {
      expect(backoffMs(served({ ...policy, jitter: false }), i + 1, () => 0.5)).toBe(wait);
      expect(backoffMs(served(policy), i + 1, () => 0.5)).toBe(wait / 2);
      expect(backoffMs(served(policy), i + 1, () => 0)).toBe(0);
    });
  });
});

describe('a policy', () => {
  const problems = (policy: unknown): string[] => {
    const found: string[] = [];
    checkRetries(policy, (field, message) => void found.push(`${field} ${message}`));
    return found;
  };

  it.each([
    [undefined],
    [{}],
    [{ attempts: 0 }],
    [{ attempts: 10, backoffMs: 0, maxBackoffMs: 600_000, jitter: false }],
    [{ statuses: [], perTryTimeoutMs: 1, bodyBytes: 0 }],
    [{ statuses: [408, 425, 429, 500, 599], bodyBytes: 16_777_216, exhaustedStatus: 503 }],
  ])('may be %j', (policy) => expect(problems(policy)).toEqual([]));

  it.each<[policy: unknown, problem: string]>([
    [5, 'retries must be an object'],
    [[], 'retries must be an object'],
    [null, 'retries must be an object'],
    [{ tries: 3 }, 'retries.tries is not a known field'],
    [{ attempts: 11 }, 'retries.attempts must be a whole number from 0 to 10'],
    [{ attempts: -1 }, 'retries.attempts must be a whole number from 0 to 10'],
    [{ attempts: '3' }, 'retries.attempts must be a whole number from 0 to 10'],
    [{ backoffMs: 1.5 }, 'retries.backoffMs must be a whole number from 0 to 600000'],
    [{ backoffMs: 2, maxBackoffMs: 1 }, 'retries.maxBackoffMs must not be less than backoffMs'],
    [{ jitter: 'no' }, 'retries.jitter must be true or false'],
    [{ statuses: 503 }, 'retries.statuses must be a list of up to 20 of 408, 425, 429 and 500 to 599'],
    [{ statuses: [404] }, 'retries.statuses must be a list of up to 20 of 408, 425, 429 and 500 to 599'],
    [{ statuses: [200] }, 'retries.statuses must be a list of up to 20 of 408, 425, 429 and 500 to 599'],
    [{ statuses: ['503'] }, 'retries.statuses must be a list of up to 20 of 408, 425, 429 and 500 to 599'],
    [{ statuses: [503.5] }, 'retries.statuses must be a list of up to 20 of 408, 425, 429 and 500 to 599'],
    [{ perTryTimeoutMs: 0 }, 'retries.perTryTimeoutMs must be a whole number from 1 to 86400000'],
    [{ bodyBytes: 16_777_217 }, 'retries.bodyBytes must be a whole number from 0 to 16777216'],
    [{ exhaustedStatus: 500 }, 'retries.exhaustedStatus must be 503'],
  ])('may not be %j', (policy, problem) => expect(problems(policy)).toEqual([problem]));
});
