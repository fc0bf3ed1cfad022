import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { publishEvent, type FacecastEvent } from '@facecast/shared/protocol/events';
import { VolumeFullError, type PatientVolume } from '@facecast/shared/runtime/full-volume';
import type { PipelineStats, SessionState } from '@facecast/shared/protocol/ingest-protocol';
import { LeaseLostError, type Lease } from '@facecast/shared/lease/lease';
import type { InputEnd, MarkedBatch } from '@facecast/shared/protocol/messages';
import type { Session } from '@facecast/shared/redis/sessions';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { PlaylistWatcher } from '../hls/playlist-watcher.js';
import {
  endFailedSession,
  endSession,
  forgetSession,
  readSummary,
  type SessionTraces,
} from './end-session.js';
import { SessionFailure } from '../session-failure.js';
import type { UnsearchedBatch } from '../input/hedging.js';
import type { SegmenterMetrics } from '../metrics.js';
import { Packager, type PackagerSettings } from '../hls/packager.js';
import { PartEncoder } from '../encode/part-encoder.js';
import type { Recorder } from '../recording/session-recorder.js';
import {
  SessionInput,
  type SearchedBatch,
  type SessionInputTools,
} from '../input/session-input.js';
import { SoundSource } from '../encode/audio-source.js';
import { SessionStats } from './stats-counter.js';
import { FaceTimeline, TIMELINE_NAME } from '../hls/timeline-file.js';

/** What all sessions of a replica share. */
export interface SessionTools extends SessionTraces, SessionInputTools {
  settings: PackagerSettings;
  watcher: PlaylistWatcher;
  metrics: SegmenterMetrics;
  /** Where `hlsDir` is. */
  volume: PatientVolume;
}

const STATS_EVERY_MS = 1_000;

/** Segments one session from its claim, or from where its last owner came to, to its end. */
export async function segmentSession(lease: Lease, tools: SessionTools): Promise<void> {
  const summary = await readSummary(tools.hlsDir, lease.sessionId);
  if (summary) return forgetSession(tools, summary);
  const session = await tools.registry.get(lease.sessionId);
  if (!session) return;
  const segmented = await SegmentedSession.open(tools, session, lease);
  await segmented.run();
}

/**
 * One session's work, from the claim to the end: marked batches into order, each encoded to one part,
 * each part listed, and only then its input removed.
 */
class SegmentedSession {
  private readonly input: SessionInput;
  private readonly encoder: PartEncoder;
  private readonly stats: SessionStats;
  /** Aborted when the session is not registered any more: an owner before this one has ended it. */
  private readonly over = new AbortController();
  private readonly signal: AbortSignal;

  private constructor(
    private readonly tools: SessionTools,
    private readonly session: Session,
    private readonly lease: Lease,
    private readonly packager: Packager,
    private readonly timeline: FaceTimeline,
    private readonly recorder: Recorder | undefined,
  ) {
    const { cadence } = tools.settings;
    this.signal = AbortSignal.any([lease.signal, this.over.signal]);
    this.stats = new SessionStats(session.id, cadence.fps, session.stats);
    this.input = new SessionInput(session.id, tools, packager.batches, (batch) =>
      this.stats.seen(batch),
    );
    this.encoder = new PartEncoder({
      cadence,
      hasSound: packager.hasSound,
      soundSource: new SoundSource(tools.frames, session.id, () => this.input.othersWait),
      log: tools.log.child({ sessionId: session.id }),
      onReplaced: () => tools.metrics.encoderReplacements.inc(),
    });
  }

  /** Takes a session up, be it new or left by another. */
  static async open(
    tools: SessionTools,
    session: Session,
    lease: Lease,
  ): Promise<SegmentedSession> {
    const folder = join(tools.hlsDir, session.id);
    const { settings, volume } = tools;
    const packager = await Packager.open(folder, {
      ...{ ...settings, volume },
      confirm: () => lease.confirm(),
    });
    const timeline = await FaceTimeline.open(join(folder, TIMELINE_NAME), {
      fps: settings.cadence.fps,
      volume,
      firstFrame: packager.frames,
    });
    const recorder = tools.recordings.record(session);
    return new SegmentedSession(tools, session, lease, packager, timeline, recorder);
  }

  /** Works until the session is over; rejects when another replica is to continue it. */
  async run(): Promise<void> {
    const { watcher } = this.tools;
    const { signal } = this;
    const stop = () => void this.encoder.close();
    signal.addEventListener('abort', stop);
    const telling = setInterval(() => this.tellStats(), STATS_EVERY_MS);
    try {
      if (this.packager.started && this.session.state === 'starting')
        watcher.watch(this.session.id);
      await this.input.open();
      const { error } = await this.publishAll();
      await this.lease.confirm();
      await endSession(this.tools, this.packager, this.snapshot('ended'), error);
    } catch (error) {
      if (this.over.signal.aborted) return await this.packager.end();
      if (signal.aborted || error instanceof LeaseLostError) throw error;
      await this.fail(error as Error);
    } finally {
      clearInterval(telling);
      this.input.close();
      watcher.unwatch(this.session.id);
      signal.removeEventListener('abort', stop);
      void this.tools.recordings.leave(this.session.id);
      await this.encoder.close();
    }
  }

  /** Publishes batch after batch until the end of the input, and gives that. */
  private async publishAll(): Promise<InputEnd> {
    for (;;) {
      const next = await this.input.next(this.signal);
      if ('kind' in next) return next;
      await this.publishBatch(next);
      this.lease.progressed();
    }
  }

  private async publishBatch(next: SearchedBatch | UnsearchedBatch): Promise<void> {
    const { batch } = next;
    if (batch.batch === 0) await this.prepareFolder();
    const content = await this.encode(next);
    // Encoding may have taken longer than the lease: because the encoder is slow, or this process was frozen.
    await this.lease.confirm();
    await this.timeline.append(batch);
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
    await Promise.all([this.input.remove(next), this.packager.tidy()]);
  }

  private async encode({
    batch,
    frames,
  }: Pick<SearchedBatch | UnsearchedBatch, 'batch' | 'frames'>): Promise<Buffer> {
    const orphan = this.packager.orphan(batch.batch);
    if (orphan) return orphan;
    // Only a session's last batch may be short.
    const isShort = batch.frameCount < this.tools.settings.cadence.framesPerBatch;
    const isLast = isShort || this.input.isOver;
    const { content, init } = await this.encoder.encode(batch, frames, isLast);
    if (init) this.packager.begin(init);
    return content;
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

  private async fail(error: Error): Promise<void> {
    const message =
      error instanceof SessionFailure || error instanceof VolumeFullError
        ? error.message
        : 'The stream could not be written.';
    // A replica that was frozen would end what its successor does well.
    await this.lease.condemn(message);
    this.tools.log.error({ sessionId: this.session.id, err: error }, 'a session failed');
    await endFailedSession(this.tools, this.snapshot('ended'), { code: 'internal', message });
  }

  private snapshot(state: SessionState): PipelineStats {
    const recording = this.recorder?.state ?? 'off';
    return { ...this.stats.snapshot(state), recording };
  }

  private tellStats(): void {
    const stats = this.snapshot(this.packager.started ? 'live' : 'starting');
    if (this.packager.started) this.tell({ type: 'stats', sessionId: this.session.id, stats });
    this.keepStats(stats).catch((error: unknown) =>
      warnUnlessOutage(this.tools.log, error, 'could not keep the stats'),
    );
  }

  private async keepStats(stats: PipelineStats): Promise<void> {
    const { id } = this.session;
    const isRunning = this.packager.started
      ? await this.tools.registry.update(id, { state: 'live', stats })
      : (await this.tools.registry.get(id)) !== undefined;
    if (!isRunning) this.over.abort();
  }

  private tell(event: FacecastEvent): void {
    publishEvent(this.tools.redis, event).catch((error: unknown) =>
      warnUnlessOutage(this.tools.log, error, 'could not publish an event', { type: event.type }),
    );
  }
}
