import { setTimeout as delay } from 'node:timers/promises';

/**
 * Longest wait for one batch. Batches are a tenth of a second apart: more means that a clock was set
 * back.
 */
const MAX_WAIT_MS = 1_000;

/** Holds back media that is ahead of its capture time: a file that is pushed faster than it plays. */
export class Pacer {
  private readonly closing = new AbortController();

  /** @param leadMs how far ahead of its capture time media may be dispatched */
  constructor(private readonly leadMs: number) {}

  /**
   * Resolves when media captured at this time (milliseconds since the epoch) may be dispatched, or on
   * `close`.
   */
  async until(capturedAt: number): Promise<void> {
    const early = Math.ceil(capturedAt - this.leadMs - Date.now());
    const waitMs = Math.min(early, MAX_WAIT_MS);
    if (waitMs > 0) await delay(waitMs, undefined, { signal: this.closing.signal }).catch(() => {});
  }

  /** Ends all waits at once. */
  close(): void {
    this.closing.abort();
  }
}
