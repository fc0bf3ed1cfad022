/** A bound on retries: at most `limit` within any `windowMs` milliseconds. */
export class RetryBudget {
  private readonly limit: number;
  private readonly windowMs: number;
  private spentAt: number[] = [];

  constructor(limit: number, windowMs: number) {
    this.limit = limit;
    this.windowMs = windowMs;
  }

  /** Takes one retry at `now` (milliseconds); false where none is left. */
  take(now: number): boolean {
    this.spentAt = this.spentAt.filter((at) => now - at < this.windowMs);
    if (this.spentAt.length >= this.limit) return false;
    this.spentAt.push(now);
    return true;
  }
}
