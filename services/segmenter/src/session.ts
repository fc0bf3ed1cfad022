import { EventEmitter, once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { publishEvent, type FacecastEvent } from '@facecast/shared/events';
import { VolumeFullError, type PatientVolume } from '@facecast/shared/full-volume';
import type { PipelineStats, SessionState } from '@facecast/shared/ingest-protocol';
import type { LoggedEntry, MarkedLogReader } from '@facecast/shared/marked-log';
import type { InputEnd, MarkedBatch } from '@facecast/shared/messages';
import type { JobQueue } from '@facecast/shared/queues';
import type { Session } from '@facecast/shared/sessions';
import { warnUnlessOutage } from '@facecast/shared/redis';
import type { PlaylistWatcher } from './announce.js';
import { endFailedSession, endSession, type SessionTraces } from './ending.js';
import { SessionFailure } from './failure.js';
import { LateBatches, type UnsearchedBatch } from './late-batches.js';
import type { SegmenterMetrics } from './metrics.js';
import { BatchOrder, type LoggedBatch } from './order.js';
import { NotTheHolderError, Packager } from './packager.js';
import { PartEncoder } from './part-encoder.js';
import type { Recorder } from './recording/recorder.js';
import { SoundSource } from './sound-source.js';
import { SessionStats } from './stats.js';
import { FaceTimeline, TIMELINE_NAME } from './timeline.js';
import { UsedInput } from './used-input.js';

/** What all sessions of a replica share. */
export interface SessionTools extends SessionTraces {
  reader: MarkedLogReader;
  watcher: PlaylistWatcher;
  metrics: SegmenterMetrics;
  /** The detectors' queue, for batches that are late. */
  detect: JobQueue<'detect'>;
  longestGapMs: number;
  /** Where `hlsDir` is. */
  volume: PatientVolume;
}

const STATS_EVERY_MS = 1_000;

/**
 * One session's work, from the claim to the end: marked batches into order, each encoded to one part,
 * each part listed, and only then its input removed.
 */
export class SegmentedSession {
  private readonly news = new EventEmitter();
  private readonly encoder: PartEncoder;
  private readonly stats: SessionStats;
  private readonly order: BatchOrder;
  private readonly late: LateBatches;
  private readonly used: UsedInput;
  private failure: Error | undefined;
  /** The last batch's frames, whose place the next takes once they are encoded. */
  private room: Buffer | undefined;

  private constructor(
    private readonly tools: SessionTools,
    private readonly session: Session,
    private readonly packager: Packager,
    private readonly timeline: FaceTimeline,
    private readonly recorder: Recorder | undefined,
  ) {
    const { cadence } = tools.settings;
    this.order = new BatchOrder(packager.batches);
    this.late = new LateBatches(session.id, tools);
    this.used = new UsedInput(session.id, tools);
    this.stats = new SessionStats(session.id, cadence.fps, session.stats);
    this.encoder = new PartEncoder({
      cadence,
      hasSound: packager.hasSound,
      soundSource: new SoundSource(tools.frames, session.id),
      log: tools.log.child({ sessionId: session.id }),
      onReplaced: () => tools.metrics.encoderReplacements.inc(),
    });
  }

  /** Takes a session up, be it new or left by another. */
  static async open(tools: SessionTools, session: Session): Promise<SegmentedSession> {
    const folder = join(tools.hlsDir, session.id);
    const { settings, volume } = tools;
    const packager = await Packager.open(folder, { ...settings, volume });
    const timeline = await FaceTimeline.open(join(folder, TIMELINE_NAME), {
      fps: settings.cadence.fps,
      volume,
      firstFrame: packager.frames,
    });
    const recorder = tools.recordings.record(session);
    return new SegmentedSession(tools, session, packager, timeline, recorder);
  }

  /**
   * Works until the session is over; rejects when `signal` says that another goes on with it.
   * @param progressed called for each part that is listed
   */
  async run(signal: AbortSignal, progressed: () => void): Promise<void> {
    const { reader, watcher } = this.tools;
    const stop = () => void this.encoder.close();
    signal.addEventListener('abort', stop);
    const telling = setInterval(() => this.tellStats(), STATS_EVERY_MS);
    try {
      if (this.packager.started && this.session.state === 'starting')
        watcher.watch(this.session.id);
      await reader.add(this.session.id, (entries) => this.receive(entries));
      const { error } = await this.publishAll(signal, progressed);
      signal.throwIfAborted();
      await endSession(this.tools, this.packager, this.snapshot('ended'), error);
    } catch (error) {
      if (signal.aborted || error instanceof NotTheHolderError) throw error;
      await this.fail(error as Error);
    } finally {
      clearInterval(telling);
      reader.remove(this.session.id);
      watcher.unwatch(this.session.id);
      signal.removeEventListener('abort', stop);
      void this.tools.recordings.leave(this.session.id);
      await this.encoder.close();
    }
  }

  private receive(entries: LoggedEntry[]): void {
    try {
      for (const logged of entries) {
        if (logged.entry.kind === 'batch') this.stats.seen(logged.entry);
        const verdict = this.order.accept(logged);
        if (verdict !== 'held') this.used.repeats(logged);
      }
    } catch (error) {
      this.failure = error as Error;
    }
    this.news.emit('news');
  }

  /** Publishes batch after batch until the end of the input, and gives that. */
  private async publishAll(signal: AbortSignal, progressed: () => void): Promise<InputEnd> {
    let gapSince: number | undefined;
    for (;;) {
      await this.used.removeRepeated(this.packager.batches);
      signal.throwIfAborted();
      if (this.failure) throw this.failure;
      const next = await this.takeNext();
      if (next) {
        gapSince = undefined;
        await this.publishBatch(next, signal);
        progressed();
        continue;
      }
      if (this.order.end) return this.order.end;
      gapSince = this.order.missing === undefined ? undefined : (gapSince ?? performance.now());
      await this.waitForNews(signal, gapSince);
    }
  }

  /** The batch whose turn it is: as a detector left it, or unsearched where none did in time. */
  private async takeNext(): Promise<LoggedBatch | UnsearchedBatch | undefined> {
    const marked = this.order.take();
    if (marked) this.late.marked();
    if (marked || this.order.end) return marked;
    const unsearched = await this.late.look(this.order.turn);
    // It may have come while it was looked for.
    const after = this.order.take();
    if (!after && unsearched) {
      this.order.skip();
      this.stats.seen(unsearched.batch);
    }
    return after ?? unsearched;
  }

  private async publishBatch(
    next: LoggedBatch | UnsearchedBatch,
    signal: AbortSignal,
  ): Promise<void> {
    const { batch } = next;
    if (batch.batch === 0) await this.prepareFolder();
    const [content] = await Promise.all([this.encode(next), this.timeline.append(batch)]);
    signal.throwIfAborted();
    const { firstFrame, frameCount, capturedAt } = batch;
    const place = await this.packager.add({ firstFrame, frames: frameCount, capturedAt }, content);
    this.recorder?.see(this.packager.segments);
    this.tell({
      type: 'part',
      sessionId: this.session.id,
      ...place,
      batches: this.packager.batches,
    });
    this.count(batch, content.length);
    await Promise.all([this.used.remove(next), this.packager.tidy()]);
  }

  private async encode(next: LoggedBatch | UnsearchedBatch): Promise<Buffer> {
    const { batch } = next;
    const orphan = this.packager.orphan(batch.batch);
    if (orphan) return orphan;
    const frames = 'frames' in next ? next.frames : await this.readFrames(batch);
    const { content, init } = await this.encoder.encode(batch, frames);
    if (init) this.packager.begin(init);
    return content;
  }

  private async readFrames({ sessionId, batch }: MarkedBatch): Promise<Buffer> {
    const frames = await this.tools.frames.read({ sessionId, batch, kind: 'marked' }, this.room);
    if (!frames) throw new SessionFailure('Frames were lost on their way to the encoder.');
    this.room = frames;
    return frames;
  }

  private async prepareFolder(): Promise<void> {
    await mkdir(join(this.tools.hlsDir, this.session.id), { recursive: true });
    this.tools.watcher.watch(this.session.id);
  }

  private count(batch: MarkedBatch, bytes: number): void {
    const { metrics } = this.tools;
    const now = Date.now();
    metrics.latency.observe(Math.max(0, now - batch.markedAt) / 1000);
    metrics.parts.inc();
    metrics.partBytes.inc(bytes);
    this.stats.published(batch, now, this.packager.endDate);
    if (batch.batch === 0) this.tellStats();
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

  private async fail(error: Error): Promise<void> {
    this.tools.log.error({ sessionId: this.session.id, err: error }, 'a session failed');
    const message =
      error instanceof SessionFailure || error instanceof VolumeFullError
        ? error.message
        : 'The stream could not be written.';
    await endFailedSession(this.tools, this.snapshot('ended'), { code: 'internal', message });
  }

  private snapshot(state: SessionState): PipelineStats {
    const recording = this.recorder?.state ?? 'off';
    return { ...this.stats.snapshot(state), recording };
  }

  private tellStats(): void {
    if (!this.packager.started) return;
    const stats = this.snapshot('live');
    this.tell({ type: 'stats', sessionId: this.session.id, stats });
    this.tools.registry
      .update(this.session.id, { state: 'live', stats })
      .catch((error: unknown) =>
        warnUnlessOutage(this.tools.log, error, 'could not keep the stats'),
      );
  }

  private tell(event: FacecastEvent): void {
    publishEvent(this.tools.redis, event).catch((error: unknown) =>
      warnUnlessOutage(this.tools.log, error, 'could not publish an event', { type: event.type }),
    );
  }
}
