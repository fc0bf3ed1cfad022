import type { InputEnd, RenderedBatch } from '@facecast/shared/protocol/messages';
import { SessionFailure } from '../session-failure.js';

/** A rendered batch, with the id of its entry in the log. */
export interface LoggedBatch {
  id: string;
  batch: RenderedBatch;
}

/** A rendered batch with its I420 planes, which are overwritten when the next batch is asked for. */
export interface SearchedBatch extends LoggedBatch {
  isRendered: true;
  frames: Buffer;
}

/**
 * Most batches that wait for their turn, about a kilobyte each: five minutes of a session without
 * segmenter.
 */
export const MAX_WAITING_BATCHES = 3_000;

/** Puts a session's batches, which arrive in any order and may repeat, into the order of their numbers. */
export class ReorderBuffer {
  private readonly waiting = new Map<number, LoggedBatch>();
  private inputEnd: InputEnd | undefined;
  /** Highest number of any entry so far. */
  private newest = -1;

  /** @param next number of the first batch that is wanted */
  constructor(private next: number) {}

  /**
   * Takes in an entry of the log. Returns what becomes of it:
   *
   * - `held`: it waits for its turn.
   * - `repeated`: another entry waits for the same batch; this entry can be removed.
   * - `published`: the batch had its turn; this entry and its files can be removed.
   *
   * @throws {SessionFailure} when `MAX_WAITING_BATCHES` wait already
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
    if (this.waiting.has(entry.batch)) return 'repeated';
    if (this.waiting.size >= MAX_WAITING_BATCHES)
      throw new SessionFailure('The session fell too far behind.');
    this.waiting.set(entry.batch, { id, batch: entry });
    return 'held';
  }

  /** Takes the batch whose turn it is; undefined if it has not arrived. */
  take(): LoggedBatch | undefined {
    const batch = this.waiting.get(this.next);
    if (batch) this.waiting.delete(this.next++);
    return batch;
  }

  /** Says that the batch taken last cannot be read: it is its turn again. */
  putBack(): void {
    this.next--;
  }

  /** Says that the batch whose turn it is was had without an entry. */
  skip(): void {
    this.next++;
  }

  /** Number of the batch whose turn it is. */
  get turn(): number {
    return this.next;
  }

  /** Whether later batches, or the end, wait for their turn. */
  get hasWaiting(): boolean {
    return this.waiting.size > 0 || this.inputEnd !== undefined;
  }

  /**
   * The number of the batch whose turn it is, where it is known to have been handed on and is not there.
   */
  get missing(): number | undefined {
    const isExpected = this.hasWaiting || this.newest >= this.next;
    return isExpected && !this.end && !this.waiting.has(this.next) ? this.next : undefined;
  }

  /** The end of the input, once every batch before it had its turn; undefined until then. */
  get end(): InputEnd | undefined {
    return this.inputEnd && this.next >= this.inputEnd.batches ? this.inputEnd : undefined;
  }
}
