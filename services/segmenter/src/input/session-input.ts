import { EventEmitter, once } from 'node:events';
import type {
  LoggedEntry,
  RenderedBatchLogReader,
} from '@facecast/shared/redis/rendered-batch-log';
import type { InputEnd, RenderedBatch } from '@facecast/shared/protocol/messages';
import { Hedging, type HedgingDeps, type OverdueBatch } from './hedging.js';
import { LostBatchWatch, type LostBatchDeps } from './lost-batch.js';
import { ReorderBuffer, type ArrivedBatch } from './reorder-buffer.js';
import { ConsumedInput, type ConsumedInputDeps } from './consumed-input.js';

/** What the inputs of all sessions of a replica share. */
export interface SessionInputDeps extends HedgingDeps, LostBatchDeps, ConsumedInputDeps {
  reader: RenderedBatchLogReader;
  metrics: HedgingDeps['metrics'] & LostBatchDeps['metrics'];
}

/** A session's batches, one after another: rendered, or unsearched if no detector brought them in time. */
export class SessionInput {
  private readonly news = new EventEmitter();
  private readonly reorderBuffer: ReorderBuffer;
  private readonly hedging: Hedging;
  private readonly lostBatch: LostBatchWatch;
  private readonly consumed: ConsumedInput;
  /** The last batch's buffer, to be reused for the next. */
  private spareBuffer: Buffer | undefined;
  private failure: Error | undefined;

  /**
   * @param firstBatch number of the first batch that is wanted
   * @param on called for each batch that arrives, in any order, and when the publisher changes the
   *   protection
   */
  constructor(
    private readonly sessionId: string,
    private readonly deps: SessionInputDeps,
    firstBatch: number,
    private readonly on: { batch: (batch: RenderedBatch) => void; wishChanged: () => void },
  ) {
    this.reorderBuffer = new ReorderBuffer(firstBatch);
    this.hedging = new Hedging(sessionId, deps);
    this.lostBatch = new LostBatchWatch(sessionId, deps);
    this.consumed = new ConsumedInput(sessionId, deps);
  }

  /** Whether later batches, or the end, wait for their turn. */
  get hasWaiting(): boolean {
    return this.reorderBuffer.hasWaiting;
  }

  /** Whether the batch given last is the session's last one. */
  get isOver(): boolean {
    return this.reorderBuffer.end !== undefined;
  }

  async open(): Promise<void> {
    await this.deps.reader.add(this.sessionId, (entries) => this.receive(entries));
  }

  close(): void {
    this.deps.reader.remove(this.sessionId);
  }

  /**
   * Resolves to the next batch, rendered or unsearched, or to the end of the input.
   * @throws {import('../session-failure.js').SessionFailure} when there will be neither
   */
  async next(signal: AbortSignal): Promise<ArrivedBatch | OverdueBatch | InputEnd> {
    for (;;) {
      await this.consumed.removeDuplicates(this.reorderBuffer.turn);
      signal.throwIfAborted();
      if (this.failure) throw this.failure;
      const next = await this.take();
      if (next) return next;
      await this.waitForNews(signal);
    }
  }

  /** Removes the input of a batch whose part is listed. */
  async remove(listed: ArrivedBatch | OverdueBatch): Promise<void> {
    if (!listed.isRendered) await this.hedging.listed(listed);
    await this.consumed.remove(listed);
  }

  private receive(entries: LoggedEntry[]): void {
    try {
      for (const logged of entries) if (!this.accept(logged)) this.consumed.addDuplicate(logged);
    } catch (error) {
      this.failure = error as Error;
    }
    this.news.emit('news');
  }

  /** Handles an entry; returns false if it can be removed. */
  private accept({ id, entry }: LoggedEntry): boolean {
    if (entry.kind === 'wish changed') {
      this.on.wishChanged();
      return false;
    }
    if (entry.kind === 'batch') this.on.batch(entry);
    return this.reorderBuffer.accept({ id, entry }) === 'held';
  }

  private async take(): Promise<ArrivedBatch | OverdueBatch | InputEnd | undefined> {
    const searched = await this.takeSearched();
    if (searched || this.reorderBuffer.end) return searched ?? this.reorderBuffer.end;
    const isDue = this.hedging.nextPollMs <= 0;
    const unsearched = await this.hedging.poll(this.reorderBuffer.turn);
    // The batch may have arrived during the poll.
    const after = await this.takeSearched();
    if (!after && unsearched) {
      this.reorderBuffer.skip();
      this.on.batch(unsearched.batch);
    }
    const next = after ?? unsearched ?? this.reorderBuffer.end;
    if (isDue && !next)
      await this.lostBatch.polled(this.hedging.isNowhere ? this.reorderBuffer.missing : undefined);
    return next;
  }

  private async takeSearched(): Promise<ArrivedBatch | undefined> {
    const logged = this.reorderBuffer.take();
    if (!logged) return undefined;
    const { sessionId } = this;
    const { batch } = logged.batch;
    const frames = await this.deps.frameStore.read(
      { sessionId, batch, kind: 'marked' },
      this.spareBuffer,
    );
    if (frames) {
      this.spareBuffer = frames;
      this.hedging.resultArrived();
      return { ...logged, isRendered: true, frames };
    }
    // An entry without frames is no batch: wait for it to be rendered, or made, again.
    this.reorderBuffer.putBack();
    this.consumed.addDuplicate({ id: logged.id, entry: logged.batch });
    return undefined;
  }

  private async waitForNews(signal: AbortSignal): Promise<void> {
    const timer = setTimeout(() => this.news.emit('news'), this.hedging.nextPollMs);
    try {
      await once(this.news, 'news', { signal });
    } finally {
      clearTimeout(timer);
    }
  }
}
