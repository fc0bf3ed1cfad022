import { EventEmitter, once } from 'node:events';

/**
 * Maximum number of batches of a session in flight: two seconds at the defaults. On a machine that is too slow, a
 * viewer is late by all that waits; what waits at the publisher instead can still be left out there.
 */
export const MAX_IN_FLIGHT = 20;
/** Maximum bytes of decoded batches in flight; their rendered copies may exist at the same time. */
const MAX_BYTES = 128 * 1024 * 1024;
/** Largest share of the frame store that one session's batches in flight take. */
const MAX_SHARE = 1 / 8;

/**
 * How many batches of a session may be in flight at once; at least one.
 * @param most at most so many, however small they are
 * @param batchBytes size of one batch
 * @param storeBytes capacity of the frame store
 */
export function maxInFlight(most: number, batchBytes: number, storeBytes: number): number {
  const bytes = Math.min(MAX_BYTES, storeBytes * MAX_SHARE);
  return Math.max(1, Math.min(most, Math.floor(bytes / batchBytes)));
}

/** Counts a session's batches in flight: dispatched, but not yet listed in the playlist. */
export class InFlightWindow {
  private readonly news = new EventEmitter();
  private listed = 0;
  private closed = false;

  /**
   * @param changed called with each change of the count
   * @param dispatched how many batches an earlier owner dispatched
   */
  constructor(
    private readonly changed: (difference: number) => void = () => {},
    private dispatched = 0,
  ) {
    changed(dispatched);
  }

  /** Number of batches that the playlist lists, as far as this process knows. */
  get batchesListed(): number {
    return this.listed;
  }

  get count(): number {
    return this.dispatched - this.listed;
  }

  /** Counts one more dispatched batch. */
  add(): void {
    this.dispatched++;
    if (!this.closed) this.changed(1);
  }

  /** Records that the playlist lists this many batches in all; a fraction is rounded down. */
  listedUpTo(batches: number): void {
    if (this.closed) return;
    const before = this.count;
    this.listed = Math.min(this.dispatched, Math.max(this.listed, Math.floor(batches)));
    this.changed(this.count - before);
    this.news.emit('listed');
  }

  /** Resolves to true when fewer than `most` are in flight, to false once `signal` is aborted. */
  async waitForRoom(most: number, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && this.count >= most)
      await once(this.news, 'listed', { signal }).catch(() => {});
    return !signal.aborted;
  }

  /** To be called when the session is over on this replica: its batches do not count any more. */
  close(): void {
    if (!this.closed) this.changed(-this.count);
    this.closed = true;
  }
}
