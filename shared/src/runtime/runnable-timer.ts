import { schedulerDelayMs } from './scheduler-delay.js';

/** Looks per limit: the counted time is exact to this fraction of the limit. */
const LOOKS_A_LIMIT = 8;
const MAX_LOOK_MS = 250;

/** Reads a process's scheduler delay in milliseconds; replaced in tests. */
type Delay = (pid: number) => number | undefined;

/**
 * A timer that detects hung processes: it counts only time in which the process could have run.
 *
 * Not counted: time in which the process waited for a CPU, and time in which this process did not run. So
 * no process looks hung because the machine is slow. The first look only sets the base, so a limit is
 * noticed one look late.
 */
export class RunnableTimer {
  private timer: NodeJS.Timeout | undefined;
  private lookMs = 0;
  private leftMs = 0;
  private lookedAt = 0;
  private delayMs: number | undefined;

  /**
   * @param pid of the watched process; undefined: only this process's own time counts
   * @param onExpired called each time that the limit is reached
   */
  constructor(
    private readonly pid: () => number | undefined,
    private readonly onExpired: () => void,
    private readonly delay: Delay = schedulerDelayMs,
  ) {}

  /** Starts counting towards `limitMs`; no effect while it counts already. */
  start(limitMs: number): void {
    if (this.timer) return;
    this.leftMs = limitMs;
    this.lookMs = Math.min(MAX_LOOK_MS, limitMs / LOOKS_A_LIMIT);
    this.lookedAt = performance.now();
    this.delayMs = undefined;
    this.wait();
  }

  /** Stops counting and resets the count. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private wait(): void {
    this.timer = setTimeout(() => this.look(), this.lookMs);
  }

  private look(): void {
    const now = performance.now();
    // If this look is late, this process may not have had time to receive the other's output.
    const passed = Math.min(now - this.lookedAt, 2 * this.lookMs);
    const pid = this.pid();
    const delayMs = pid === undefined ? undefined : this.delay(pid);
    const isFirst = delayMs !== undefined && this.delayMs === undefined;
    const waited = Math.max(0, (delayMs ?? 0) - (this.delayMs ?? 0));
    if (!isFirst) this.leftMs -= Math.max(0, passed - waited);
    this.lookedAt = now;
    this.delayMs = delayMs;
    // A smaller rest is a rounding error.
    if (this.leftMs > 0.5) return this.wait();
    this.timer = undefined;
    this.onExpired();
  }
}
