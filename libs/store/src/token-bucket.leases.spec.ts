import { lot, mostBeyond, type Admission } from '../../../test/support/limits';
import { LEASE_TTL_MS, type Bucket, type LeaseGrant } from './store';
import { freshLevel, lease, peek, take, type LimitLevel } from './token-bucket';

const START = 1_800_000_000_000;
const bucketOf = (capacity: number, windowMs: number): Bucket => ({ key: 'rl', capacity, windowMs });

function admitted(level: LimitLevel, bucket: Bucket, now: number, requests: number): number {
  let count = 0;
  for (let i = 0; i < requests; i++) if (take(level, bucket, now).allowed) count += 1;
  return count;
}

describe('a lease', () => {
  const bucket = bucketOf(100, 60_000);
  let level: LimitLevel;
  beforeEach(() => void (level = freshLevel(bucket, START)));

  /** A process that leases and reports. */
  function borrower(): (now: number, wanted: number, report?: Partial<Report>) => LeaseGrant {
    let generation = 0;
    return (now, wanted, report = {}) => {
      const request = { bucket, wanted, generation, used: 0, returned: 0, held: 0, ...report };
      const grant = lease(level, request, now);
      generation = grant.generation;
      return grant;
    };
  }
  interface Report {
    used: number;
    returned: number;
    held: number;
  }
  const left = (now: number): number => peek(level, bucket, now).remaining;

  it('is granted what is there, and says when there is more', () => {
    const borrow = borrower();
    expect(borrow(START, 70)).toMatchObject({ granted: 70, kept: false, remaining: 30, retryAfterMs: 0 });
    expect(borrow(START, 70)).toMatchObject({ granted: 30, remaining: 0, retryAfterMs: 600 });
    expect(borrow(START, 1)).toMatchObject({ granted: 0, remaining: 0, retryAfterMs: 600 });
  });

  it('brings back what was not used, and the room of what was', () => {
    const borrow = borrower();
    borrow(START, 40);
    borrow(START + 10, 0, { used: 25, returned: 15 });
    expect(left(START + 10)).toBe(75);
    expect(left(START + 60_000)).toBe(100);
  });

  it('brings back no more than there is room for', () => {
    const borrow = borrower();
    borrow(START, 10);
    expect(borrow(START, 1000, { returned: 50 }).granted).toBe(100);
  });

  it('fills its part of the bucket: what it stands for refills only after it has been used', () => {
    const borrow = borrower();
    borrow(START, 40);
    const end = START + LEASE_TTL_MS - 1;
    expect(left(end)).toBe(60);
    borrow(end, 0, { returned: 40 });
    expect(left(end)).toBe(100);
  });

  it('that nobody reports on is not refilled in advance: at its end no more than before can be taken', () => {
    const fast = bucketOf(100, 1000);
    level = freshLevel(fast, START);
    const request = { bucket: fast, wanted: 100, generation: 0, used: 0, returned: 0, held: 0 };
    expect(lease(level, request, START).granted).toBe(100);
    // Whoever holds it may have used it all a moment ago.
    expect(admitted(level, fast, START + LEASE_TTL_MS, 200)).toBe(0);
    expect(admitted(level, fast, START + 2 * LEASE_TTL_MS, 200)).toBe(0);
    expect(admitted(level, fast, START + 2 * LEASE_TTL_MS + 500, 200)).toBe(50);
  });

  it('that nobody reports on is forgotten although others go on leasing', () => {
    borrower()(START, 60);
    const borrow = borrower();
    let { granted: held } = borrow(START, 1);
    let now = START;
    // Less than what refills, and never a pause in which all leases could run out.
    while (now < START + 120_000) {
      now += LEASE_TTL_MS - 100;
      const { kept, granted } = borrow(now, 1, { used: held });
      expect(kept).toBe(true);
      held = granted;
    }
    expect(left(now)).toBeGreaterThanOrEqual(97);
  });

  it('may be held for as long as it is reported in time, and not after that', () => {
    const borrow = borrower();
    borrow(START, 10);
    let now = START;
    for (let i = 0; i < 20; i++) {
      now += LEASE_TTL_MS;
      expect(borrow(now, 0, { held: 10 }).kept).toBe(true);
      expect(level.lent + level.lentBefore).toBe(10 * bucket.windowMs);
    }
    now += 3 * LEASE_TTL_MS;
    expect(borrow(now, 0, { held: 10 }).kept).toBe(false);
    expect(level.lent + level.lentBefore).toBe(0);
  });

  it('that is reported too late takes nothing from the leases of others', () => {
    const late = borrower();
    late(START, 50);
    const other = borrower();
    const now = START + 10 * LEASE_TTL_MS;
    // The bucket may even have been forgotten in between, as one that has refilled is.
    level = freshLevel(bucket, now);
    expect(other(now, 80).granted).toBe(80);
    late(now + 1, 0, { used: 30, returned: 20 });
    expect(level.lent).toBe(80 * bucket.windowMs);
    expect(left(now + 1)).toBe(20);
  });

  it('lives on a clock that goes backwards no shorter than on one that does not', () => {
    const borrow = borrower();
    take(level, bucket, START);
    borrow(START - 50_000, 50);
    expect(borrow(START + LEASE_TTL_MS - 1, 0, { held: 50 }).kept).toBe(true);
    expect(level.lent).toBe(50 * bucket.windowMs);
  });
});

/** A process that follows the rules, over a line on which both requests and answers may be lost. */
class Process {
  left = 0;
  private used = 0;
  private generation = 0;
  private expiresAt = 0;

  constructor(
    private readonly level: LimitLevel,
    private readonly bucket: Bucket,
  ) {}

  use(now: number): boolean {
    if (this.left === 0 || now >= this.expiresAt) return false;
    this.left -= 1;
    this.used += 1;
    return true;
  }

  exchange(sentAt: number, now: number, wanted: number, fate: 'done' | 'request lost' | 'answer lost'): void {
    const keeping = wanted > 0 && sentAt < this.expiresAt;
    const request = {
      bucket: this.bucket,
      wanted,
      generation: this.generation,
      used: this.used,
      returned: keeping ? 0 : this.left,
      held: keeping ? this.left : 0,
    };
    if (!keeping) this.left = 0;
    this.used = 0;
    if (fate === 'request lost') return;
    const grant = lease(this.level, request, now);
    if (fate === 'answer lost') return;
    if (!grant.kept) this.left = 0;
    this.generation = grant.generation;
    this.left += grant.granted;
    this.expiresAt = sentAt + LEASE_TTL_MS;
  }
}

it.each(Array.from({ length: 60 }, (_, i) => i + 1))(
  'whatever processes do and whatever is lost, no window admits more than capacity and refill (seed %d)',
  (seed) => {
    const below = lot(seed);
    const bucket = bucketOf(1 + below(seed % 2 ? 20 : 200), 500 * (1 + below(seed % 3 ? 4 : 60)));
    const full = bucket.capacity * bucket.windowMs;
    const level = freshLevel(bucket, START);
    const processes = Array.from({ length: 1 + below(4) }, () => new Process(level, bucket));
    const admissions: Admission[] = [];
    let most = 0;
    let least = 0;
    let now = START;
    for (let i = 0; i < 600; i++) {
      now += below(20) === 0 ? below(LEASE_TTL_MS) : below(12);
      const place = below(processes.length);
      const process = processes[place] as Process;
      const act = below(100);
      if (act < 60) {
        for (let tries = below(8); tries > 0; tries--)
          if (process.use(now)) admissions.push({ from: now, to: now });
      } else if (act < 90) {
        const fate = below(12) === 0 ? 'answer lost' : below(12) === 0 ? 'request lost' : 'done';
        process.exchange(now - below(5), now, below(bucket.capacity + 1), fate);
      } else if (act < 98) {
        if (take(level, bucket, now).allowed) admissions.push({ from: now, to: now });
      } else processes[place] = new Process(level, bucket);
      most = Math.max(most, level.units + level.lent + level.lentBefore);
      least = Math.min(least, level.units, level.lent, level.lentBefore);
    }
    expect(most).toBeLessThanOrEqual(full);
    expect(least).toBe(0);
    expect(mostBeyond(bucket, admissions)).toBeLessThanOrEqual(0);
    // Nor does anything get lost for good.
    expect(peek(level, bucket, now + 2 * LEASE_TTL_MS + bucket.windowMs).remaining).toBe(bucket.capacity);
  },
);
