/** Tokens a request pays in, and the cost of a retry: one retry for ten requests. */
const DEPOSIT = 0.1;
const MAX_BALANCE = 10;

/** Bounds retries to a tenth of the requests, so that an ailing upstream is not finished off by its own gateway. */
export class RetryBudget {
  private balance = MAX_BALANCE;

  deposit(): void {
    if (this.balance < MAX_BALANCE) this.balance += DEPOSIT;
  }

  /** True if a retry may be made now, which pays for it. */
  withdraw(): boolean {
    if (this.balance < 1) return false;
    this.balance -= 1;
    return true;
  }
}
