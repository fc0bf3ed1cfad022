import type { InputEnd, RenderedBatch } from '@facecast/shared/protocol/messages';
import { SessionFailure } from '../session-failure.js';

/** A rendered batch, with the id of its entry in the log. */
export interface LoggedBatch {
  id: string;
  batch: RenderedBatch;
}

/** A rendered batch with its I420 planes, which are overwritten when the next batch is asked for. */
export interface ArrivedBatch extends LoggedBatch {
  isRendered: true;
  frames: Buffer;
}

/**
 * Maximum number of batches before their turn, about a kilobyte each: five minutes of a session without
 * segmenter.
 */
export const MAX_EARLY_BATCHES = 3_000;

/** Puts a session's batches, which arrive in any order and may repeat, into the order of their numbers. */
export class ReorderBuffer {
  private readonly early = new Map<number, LoggedBatch>();
  private inputEnd: InputEnd | undefined;
  /** Highest number of any entry so far. */
  private newest = -1;

  /** @param next number of the first batch to be given */
  constructor(private next: number) {}

  /**
   * Takes in an entry of the log. Returns what becomes of it:
   *
   * - `held`: it waits for its turn.
   * - `repeated`: another entry waits for the same batch; this entry can be removed.
   * - `published`: the batch had its turn; this entry and its files can be removed.
   *
   * @throws {SessionFailure} if there are `MAX_EARLY_BATCHES` already
   */
  accept({
    id,
    entry,
  }: {
    id: string;
    entry: RenderedBatch | InputEnd;
  }): 'held' | 'repeated' | 'published' {
    if (entry.kind === 'end') {
      this.inputEnd = entry;
      return 'held';
    }
    this.newest = Math.max(this.newest, entry.batch);
    if (entry.batch < this.next) return 'published';
    if (this.early.has(entry.batch)) return 'repeated';
    if (this.early.size >= MAX_EARLY_BATCHES)
      throw new SessionFailure('The session fell too far behind.');
    this.early.set(entry.batch, { id, batch: entry });
    return 'held';
  }

  /** Takes the batch whose turn it is; undefined if it has not arrived. */
  take(): LoggedBatch | undefined {
    const batch = this.early.get(this.next);
    if (batch) this.early.delete(this.next++);
    return batch;
  }

  /** Puts back the number of the batch taken last, which cannot be read: it is its turn again. */
  putBack(): void {
    this.next--;
  }

  /** Skips the batch whose turn it is, because it was shown without an entry. */
  skip(): void {
    this.next++;
  }

  /** Number of the batch whose turn it is. */
  get turn(): number {
    return this.next;
  }

  /** Whether later batches, or the end, wait for their turn. */
  get hasWaiting(): boolean {
    return this.early.size > 0 || this.inputEnd !== undefined;
  }

  /** The number of the batch whose turn it is, if it was dispatched and has not arrived; else undefined. */
  get missing(): number | undefined {
    const isExpected = this.hasWaiting || this.newest >= this.next;
    return isExpected && !this.end && !this.early.has(this.next) ? this.next : undefined;
  }

  /** The end of the input, once every batch before it had its turn; undefined until then. */
  get end(): InputEnd | undefined {
    return this.inputEnd && this.next >= this.inputEnd.batches ? this.inputEnd : undefined;
  }
}
