import { EventEmitter, once } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { LoggedEntry, MarkedLogReader } from '@facecast/shared/marked-log';
import type { InputEnd, MarkedBatch } from '@facecast/shared/messages';
import { SessionFailure } from './failure.js';
import { LateBatches, type LateBatchTools, type UnsearchedBatch } from './late-batches.js';
import { BatchOrder, type LoggedBatch } from './order.js';
import { UsedInput, type UsedInputStores } from './used-input.js';

/** What the inputs of all sessions of a replica share. */
export interface SessionInputTools extends LateBatchTools, UsedInputStores {
  reader: MarkedLogReader;
  /** A session whose next batch has not come for this long, while others wait for it, fails. */
  longestGapMs: number;
}

/**
 * A session's batches, one after another: as a detector left them, or unsearched where none brought them
 * in time.
 */
export class SessionInput {
  private readonly news = new EventEmitter();
  private readonly order: BatchOrder;
  private readonly late: LateBatches;
  private readonly used: UsedInput;
  private failure: Error | undefined;

  /**
   * @param firstBatch number of the first batch that is wanted
   * @param seen called for each batch that has come, in whatever order
   */
  constructor(
    private readonly sessionId: string,
    private readonly tools: SessionInputTools,
    firstBatch: number,
    private readonly seen: (batch: MarkedBatch) => void,
  ) {
    this.order = new BatchOrder(firstBatch);
    this.late = new LateBatches(sessionId, tools);
    this.used = new UsedInput(sessionId, tools);
  }

  /** Whether batches that nobody has had yet, or the end, wait for their turn. */
  get othersWait(): boolean {
    return this.order.othersWait;
  }

  /** Whether nothing comes after what was given; mostly that is known before the last batch is searched. */
  get isOver(): boolean {
    return this.order.end !== undefined;
  }

  async open(): Promise<void> {
    await this.tools.reader.add(this.sessionId, (entries) => this.receive(entries));
  }

  close(): void {
    this.tools.reader.remove(this.sessionId);
  }

  /**
   * The batch whose turn it is, as soon as it can be had; or the end of the input.
   * @throws {SessionFailure} when there will be neither
   */
  async next(signal: AbortSignal): Promise<LoggedBatch | UnsearchedBatch | InputEnd> {
    let gapSince: number | undefined;
    for (;;) {
      await this.used.removeRepeated(this.order.turn);
      signal.throwIfAborted();
      if (this.failure) throw this.failure;
      const next = await this.take();
      if (next) return next;
      gapSince = this.order.missing === undefined ? undefined : (gapSince ?? performance.now());
      await this.waitForNews(signal, gapSince);
    }
  }

  /** A batch's part is listed: removes its input. */
  async remove(listed: LoggedBatch | UnsearchedBatch): Promise<void> {
    await this.used.remove(listed);
  }

  private receive(entries: LoggedEntry[]): void {
    try {
      for (const logged of entries) {
        if (logged.entry.kind === 'batch') this.seen(logged.entry);
        const verdict = this.order.accept(logged);
        if (verdict !== 'held') this.used.repeats(logged);
      }
    } catch (error) {
      this.failure = error as Error;
    }
    this.news.emit('news');
  }

  private async take(): Promise<LoggedBatch | UnsearchedBatch | InputEnd | undefined> {
    const marked = this.order.take();
    if (marked) this.late.marked();
    if (marked || this.order.end) return marked ?? this.order.end;
    const unsearched = await this.late.look(this.order.turn);
    // It may have come while it was looked for.
    const after = this.order.take();
    if (!after && unsearched) {
      this.order.skip();
      this.seen(unsearched.batch);
    }
    return after ?? unsearched ?? this.order.end;
  }

  private async waitForNews(signal: AbortSignal, gapSince: number | undefined): Promise<void> {
    const left = (gapSince ?? Infinity) + this.tools.longestGapMs - performance.now();
    if (left <= 0) throw new SessionFailure('Frames did not come back from the face search.');
    const timer = setTimeout(() => this.news.emit('news'), Math.min(left, this.late.lookInMs));
    try {
      await once(this.news, 'news', { signal });
    } finally {
      clearTimeout(timer);
    }
  }
}
