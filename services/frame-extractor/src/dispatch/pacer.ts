import { setTimeout as delay } from 'node:timers/promises';

/** Batches come in turn, each somewhat later than the last: a longer wait is a clock that was set back. */
const MAX_WAIT_MS = 1_000;

/** Holds media back that is ahead of its time: a file that is pushed faster than it plays. */
export class Pacer {
  private readonly closing = new AbortController();

  /** @param leadMs how much earlier than it would be captured live media may be dispatched */
  constructor(private readonly leadMs: number) {}

  /**
   * Resolves when media of this capture time (milliseconds since 1970) may be dispatched, or after
   * `close`.
   */
  async until(capturedAt: number): Promise<void> {
    const early = Math.ceil(capturedAt - this.leadMs - Date.now());
    const waitMs = Math.min(early, MAX_WAIT_MS);
    if (waitMs > 0) await delay(waitMs, undefined, { signal: this.closing.signal }).catch(() => {});
  }

  /** Lets whoever waits go on. */
  close(): void {
    this.closing.abort();
  }
}
