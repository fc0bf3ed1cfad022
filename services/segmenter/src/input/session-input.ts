import { EventEmitter, once } from 'node:events';
import type { LoggedEntry, MarkedLogReader } from '@facecast/shared/redis/marked-log';
import type { InputEnd, MarkedBatch } from '@facecast/shared/protocol/messages';
import { LateBatches, type LateBatchTools, type UnsearchedBatch } from './hedging.js';
import { LostBatch, type LostBatchTools } from './lost-batch.js';
import { BatchOrder, type LoggedBatch } from './reorder-buffer.js';
import { UsedInput, type UsedInputStores } from './consumed-input.js';

/** What the inputs of all sessions of a replica share. */
export interface SessionInputTools extends LateBatchTools, LostBatchTools, UsedInputStores {
  reader: MarkedLogReader;
  metrics: LateBatchTools['metrics'] & LostBatchTools['metrics'];
}

/** A batch as a detector left it, with its I420 planes. They are good until the next is asked for. */
export interface SearchedBatch extends LoggedBatch {
  frames: Buffer;
}

/**
 * A session's batches, one after another: as a detector left them, or unsearched where none brought them
 * in time.
 */
export class SessionInput {
  private readonly news = new EventEmitter();
  private readonly order: BatchOrder;
  private readonly late: LateBatches;
  private readonly lost: LostBatch;
  private readonly used: UsedInput;
  /** The last batch's frames, whose place the next takes once they are encoded. */
  private room: Buffer | undefined;
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
    this.lost = new LostBatch(sessionId, tools);
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
   * @throws {import('../session-failure.js').SessionFailure} when there will be neither
   */
  async next(signal: AbortSignal): Promise<SearchedBatch | UnsearchedBatch | InputEnd> {
    for (;;) {
      await this.used.removeRepeated(this.order.turn);
      signal.throwIfAborted();
      if (this.failure) throw this.failure;
      const next = await this.take();
      if (next) return next;
      await this.waitForNews(signal);
    }
  }

  /** A batch's part is listed: removes its input. */
  async remove(listed: SearchedBatch | UnsearchedBatch): Promise<void> {
    if (!('id' in listed)) await this.late.listed(listed);
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

  private async take(): Promise<SearchedBatch | UnsearchedBatch | InputEnd | undefined> {
    const searched = await this.takeSearched();
    if (searched || this.order.end) return searched ?? this.order.end;
    const isDue = this.late.lookInMs <= 0;
    const unsearched = await this.late.look(this.order.turn);
    // It may have come while it was looked for.
    const after = await this.takeSearched();
    if (!after && unsearched) {
      this.order.skip();
      this.seen(unsearched.batch);
    }
    const next = after ?? unsearched ?? this.order.end;
    if (isDue && !next) await this.lost.look(this.late.isNowhere ? this.order.missing : undefined);
    return next;
  }

  private async takeSearched(): Promise<SearchedBatch | undefined> {
    const logged = this.order.take();
    if (!logged) return undefined;
    const { sessionId } = this;
    const { batch } = logged.batch;
    const frames = await this.tools.frames.read({ sessionId, batch, kind: 'marked' }, this.room);
    if (frames) {
      this.room = frames;
      this.late.marked();
      return { ...logged, frames };
    }
    // An entry without frames is no batch: it is searched, or made, again.
    this.order.giveBack();
    this.used.repeats({ id: logged.id, entry: logged.batch });
    return undefined;
  }

  private async waitForNews(signal: AbortSignal): Promise<void> {
    const timer = setTimeout(() => this.news.emit('news'), this.late.lookInMs);
    try {
      await once(this.news, 'news', { signal });
    } finally {
      clearTimeout(timer);
    }
  }
}
