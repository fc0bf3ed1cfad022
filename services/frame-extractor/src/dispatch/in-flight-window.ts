import { deferred, type Deferred } from '@facecast/shared/runtime/deferred';

/** Most batches of a session between this stage and the playlist: ten seconds at the defaults. */
const MAX_BATCHES = 100;
/** Most bytes of them in the frame store, where the decoded and the marked may be there at once. */
const MAX_BYTES = 128 * 1024 * 1024;
/** Most of the frame store that one session takes. */
const MAX_SHARE = 1 / 8;

/**
 * How many batches of a session may be on their way at once; at least one.
 * @param batchBytes size of each
 * @param storeBytes how much the frame store can hold
 */
export function maxInFlight(batchBytes: number, storeBytes: number): number {
  const bytes = Math.min(MAX_BYTES, storeBytes * MAX_SHARE);
  return Math.max(1, Math.min(MAX_BATCHES, Math.floor(bytes / batchBytes)));
}

/** The batches of one session that are dispatched and not in the playlist yet. */
export class InFlightWindow {
  private waiting: Deferred<void> | undefined;
  private listed = 0;
  private closed = false;

  /**
   * @param changed told each time by how much the count changes
   * @param handedOn how many batches were dispatched before
   */
  constructor(
    private readonly changed: (difference: number) => void = () => {},
    private handedOn = 0,
  ) {
    changed(handedOn);
  }

  /** How many batches the playlist is known to list. */
  get batchesListed(): number {
    return this.listed;
  }

  get count(): number {
    return this.handedOn - this.listed;
  }

  /** One more batch is on its way. */
  add(): void {
    this.handedOn++;
    if (!this.closed) this.changed(1);
  }

  /** The playlist has so many batches in all; a part of one does not count. */
  listedUpTo(batches: number): void {
    if (this.closed) return;
    const before = this.count;
    this.listed = Math.min(this.handedOn, Math.max(this.listed, Math.floor(batches)));
    this.changed(this.count - before);
    this.waiting?.resolve();
  }

  /** Resolves to true when fewer than `most` are on their way, to false after `close`. */
  async waitForRoom(most: number): Promise<boolean> {
    while (!this.closed && this.count >= most) {
      this.waiting = deferred();
      await this.waiting.promise;
    }
    return !this.closed;
  }

  /** Lets whoever waits go on. */
  close(): void {
    if (!this.closed) this.changed(-this.count);
    this.closed = true;
    this.waiting?.resolve();
  }
}
