import { schedulerDelayMs } from './scheduler-delay.js';

/** Looks in one limit: what is counted is right to so small a part of it. */
const LOOKS_A_LIMIT = 8;
const MAX_LOOK_MS = 250;

/** What may be put in another's place in a test. */
type Delay = (pid: number) => number | undefined;

/**
 * A timer for whoever is said to be hung: it counts only time in which that process could have run.
 *
 * What does not count: time in which the process waited for a CPU, and time in which this process, which
 * would have heard of it, was not running itself. So a slow machine makes nobody hung. The first look only
 * tells from where to count: a limit is noticed a look later than it is reached.
 */
export class RunnableTimer {
  private timer: NodeJS.Timeout | undefined;
  private lookMs = 0;
  private leftMs = 0;
  private lookedAt = 0;
  private delayMs: number | undefined;

  /**
   * @param pid of the process; undefined where there is none, and only this one's own time counts
   * @param onExpired called once each time that the limit is reached
   */
  constructor(
    private readonly pid: () => number | undefined,
    private readonly onExpired: () => void,
    private readonly delay: Delay = schedulerDelayMs,
  ) {}

  /** Begins to count towards `limitMs`; goes on where it counts already. */
  start(limitMs: number): void {
    if (this.timer) return;
    this.leftMs = limitMs;
    this.lookMs = Math.min(MAX_LOOK_MS, limitMs / LOOKS_A_LIMIT);
    this.lookedAt = performance.now();
    this.delayMs = undefined;
    this.wait();
  }

  /** Counts no more, and forgets what it counted. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private wait(): void {
    this.timer = setTimeout(() => this.look(), this.lookMs);
  }

  private look(): void {
    const now = performance.now();
    // Late itself, this process may have had no time to hear what the other one said.
    const passed = Math.min(now - this.lookedAt, 2 * this.lookMs);
    const pid = this.pid();
    const delayMs = pid === undefined ? undefined : this.delay(pid);
    const isFirst = delayMs !== undefined && this.delayMs === undefined;
    const waited = Math.max(0, (delayMs ?? 0) - (this.delayMs ?? 0));
    if (!isFirst) this.leftMs -= Math.max(0, passed - waited);
    this.lookedAt = now;
    this.delayMs = delayMs;
    // Rounding is no reason to look once more.
    if (this.leftMs > 0.5) return this.wait();
    this.timer = undefined;
    this.onExpired();
  }
}
