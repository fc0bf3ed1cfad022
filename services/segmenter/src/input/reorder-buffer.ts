import type { InputEnd, RenderedBatch } from '@facecast/shared/protocol/messages';
import { SessionFailure } from '../session-failure.js';

/** A rendered batch, with the id of its entry in the log. */
export interface LoggedBatch {
  id: string;
  batch: RenderedBatch;
}

/**
 * Most batches that wait for their turn: five minutes of a session that was without a segmenter. Its
 * pictures are in the frame store; what is held here is a kilobyte each.
 */
export const MAX_WAITING_BATCHES = 3_000;

/** Puts a session's batches, which come in any order and may repeat, into the order of their numbers. */
export class ReorderBuffer {
  private readonly waiting = new Map<number, LoggedBatch>();
  private inputEnd: InputEnd | undefined;
  /** The highest number that an entry had. */
  private newest = -1;

  /** `next` is the number of the first batch that is wanted. */
  constructor(private next: number) {}

  /**
   * Takes an entry of the log in.
   *
   * `held`: it gets its turn. `repeated`: another of the same number has its turn; this one's entry
   * can go. `published`: that other one had its turn already, so this one's files can go too.
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

  /** The batch whose turn it is, if it is there. */
  take(): LoggedBatch | undefined {
    const batch = this.waiting.get(this.next);
    if (batch) this.waiting.delete(this.next++);
    return batch;
  }

  /** The batch that was taken last cannot be had by its entry: it is its turn again. */
  putBack(): void {
    this.next--;
  }

  /** The batch whose turn it is had it by another way. */
  skip(): void {
    this.next++;
  }

  /** The number of the batch whose turn it is. */
  get turn(): number {
    return this.next;
  }

  /** Whether batches, or the end, wait for their turn. */
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

  /** The end of the input, once every batch before it had its turn. */
  get end(): InputEnd | undefined {
    return this.inputEnd && this.next >= this.inputEnd.batches ? this.inputEnd : undefined;
  }
}
