import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import { publishEvent, type FacecastEvent } from '@facecast/shared/protocol/events';
import { VolumeFullError, type RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import type { PipelineStats, SessionState } from '@facecast/shared/protocol/ingest-protocol';
import { LeaseLostError, type Lease } from '@facecast/shared/lease/lease';
import type { InputEnd, RenderedBatch } from '@facecast/shared/protocol/messages';
import type { Session } from '@facecast/shared/redis/session';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { PlaylistWatcher } from '../hls/playlist-watcher.js';
import {
  endFailedSession,
  endSession,
  removeTraces,
  readSummary,
  type EndSessionDeps,
} from './end-session.js';
import { SessionFailure } from '../session-failure.js';
import type { OverdueBatch } from '../input/hedging.js';
import type { SegmenterMetrics } from '../metrics.js';
import { Packager, type PackagerSettings } from '../hls/packager.js';
import { PartEncoder } from '../encode/part-encoder.js';
import { ProtectionFile } from '../hls/protection-file.js';
import type { SessionRecorder } from '../recording/session-recorder.js';
import type { ArrivedBatch } from '../input/reorder-buffer.js';
import { SessionInput, type SessionInputDeps } from '../input/session-input.js';
import { AudioSource } from '../encode/audio-source.js';
import { StatsCounter } from './stats-counter.js';
import { TimelineFile } from '../hls/timeline-file.js';
import { ViewersProtection, type Wish } from './viewers-protection.js';

/** What all sessions of a replica share. */
export interface SegmentSessionDeps extends EndSessionDeps, SessionInputDeps {
  settings: PackagerSettings;
  watcher: PlaylistWatcher;
  metrics: SegmenterMetrics;
  /** The volume that `hlsDir` is on. */
  volume: RetryOnDiskFull;
}

const STATS_EVERY_MS = 1_000;

/** Segments one session to its end, from its beginning or from where its last owner stopped. */
export async function segmentSession(lease: Lease, deps: SegmentSessionDeps): Promise<void> {
  const summary = await readSummary(deps.hlsDir, lease.sessionId);
  if (summary) return removeTraces(deps, summary);
  const session = await deps.registry.get(lease.sessionId);
  if (!session) return;
  const segmented = await SegmentedSession.open(deps, session, lease);
  await segmented.run();
}

/**
 * One session's work, from taking the lease to the end: orders rendered batches, encodes each to a part,
 * lists it, and only then removes its input.
 */
class SegmentedSession {
  private readonly input: SessionInput;
  private readonly encoder: PartEncoder;
  private readonly stats: StatsCounter;
  private readonly protection: ViewersProtection;
  /** Aborted when the session is not registered any more, because an earlier owner ended it. */
  private readonly deregistered = new AbortController();
  private readonly signal: AbortSignal;

  private constructor(
    private readonly deps: SegmentSessionDeps,
    private readonly session: Session,
    private readonly lease: Lease,
    private readonly packager: Packager,
    private readonly timeline: TimelineFile,
    private readonly protectionFile: ProtectionFile,
    private readonly recorder: SessionRecorder | undefined,
  ) {
    const { cadence } = deps.settings;
    this.signal = AbortSignal.any([lease.signal, this.deregistered.signal]);
    this.stats = new StatsCounter(session.id, cadence.fps, session.stats);
    this.protection = new ViewersProtection(session, deps.registry, deps.log);
    this.input = new SessionInput(session.id, deps, packager.batches, {
      batch: (batch) => this.stats.received(batch),
      wishChanged: () => this.protection.changed(),
    });
    this.encoder = new PartEncoder({
      cadence,
      audioSource: new AudioSource(deps.frameStore, session.id, () => this.input.hasWaiting),
      log: deps.log.child({ sessionId: session.id }),
      onReplaced: () => deps.metrics.encoderReplacements.inc(),
    });
  }

  /** Opens a session, new or left by another owner. */
  static async open(
    deps: SegmentSessionDeps,
    session: Session,
    lease: Lease,
  ): Promise<SegmentedSession> {
    const folder = join(deps.hlsDir, session.id);
    const { settings, volume } = deps;
    const packager = await Packager.open(folder, {
      ...{ ...settings, volume },
      confirm: () => lease.confirm(),
    });
    const timeline = await TimelineFile.open(join(folder, HLS_FILES.timeline), {
      fps: settings.cadence.fps,
      volume,
      firstFrame: packager.frames,
    });
    const protectionFile = await ProtectionFile.open(join(folder, HLS_FILES.protection), volume);
    const files = [timeline, protectionFile] as const;
    const recorder = deps.recordings.record(session);
    return new SegmentedSession(deps, session, lease, packager, ...files, recorder);
  }

  /** Works until the session has ended; rejects if another replica is to continue it. */
  async run(): Promise<void> {
    const { watcher } = this.deps;
    const { signal } = this;
    const stop = () => void this.encoder.close();
    signal.addEventListener('abort', stop);
    const telling = setInterval(() => this.publishStats(), STATS_EVERY_MS);
    try {
      if (this.packager.started && this.session.state === 'starting')
        watcher.watch(this.session.id);
      await this.input.open();
      const { error } = await this.publishAll();
      await this.lease.confirm();
      await endSession(this.deps, this.packager, this.snapshot('ended'), error);
    } catch (error) {
      if (this.deregistered.signal.aborted) return await this.packager.end();
      if (signal.aborted || error instanceof LeaseLostError) throw error;
      await this.fail(error as Error);
    } finally {
      clearInterval(telling);
      this.input.close();
      watcher.unwatch(this.session.id);
      signal.removeEventListener('abort', stop);
      void this.deps.recordings.release(this.session.id);
      await this.encoder.close();
    }
  }

  /** Publishes batch after batch; resolves to the end of the input. */
  private async publishAll(): Promise<InputEnd> {
    for (;;) {
      const next = await this.input.next(this.signal);
      if ('kind' in next) return next;
      await this.publishBatch(next);
      this.lease.progressed();
    }
  }

  private async publishBatch(next: ArrivedBatch | OverdueBatch): Promise<void> {
    if (next.batch.batch === 0) await this.prepareFolder();
    const { batch, shown } = await this.protection.apply(next.batch, next.frames, next.isRendered);
    const content = await this.encode(batch, next.frames);
    // The lease may have expired during the encoding: the encoder was slow, or this process frozen.
    await this.lease.confirm();
    await this.timeline.append(batch);
    const { firstFrame, frameCount, capturedAt } = batch;
    // The protection of a predecessor's part is recorded already.
    const { effect, hidden } = shown;
    if (!this.packager.hintedPart(batch.batch))
      await this.protectionFile.note({ fromFrame: firstFrame, effect, hidden });
    const place = await this.packager.add({ firstFrame, frames: frameCount, capturedAt }, content);
    this.recorder?.update(this.packager.segments);
    this.publishEvent({
      type: 'part',
      sessionId: this.session.id,
      ...place,
      batches: this.packager.batches,
    });
    this.count(batch, content.length, shown);
    await Promise.all([this.input.remove(next), this.packager.tidy()]);
  }

  private async encode(batch: RenderedBatch, frames: Buffer): Promise<Buffer> {
    const hintedPart = this.packager.hintedPart(batch.batch);
    if (hintedPart) return hintedPart;
    // Only a session's last batch may be short.
    const isShort = batch.frameCount < this.deps.settings.cadence.framesPerBatch;
    const isLast = isShort || this.input.isOver;
    const { content, init } = await this.encoder.encode(batch, frames, isLast);
    if (init) this.packager.begin(init);
    return content;
  }

  private async prepareFolder(): Promise<void> {
    await mkdir(join(this.deps.hlsDir, this.session.id), { recursive: true });
    this.deps.watcher.watch(this.session.id);
  }

  private count(batch: RenderedBatch, bytes: number, shown: Wish): void {
    const { metrics } = this.deps;
    const now = Date.now();
    metrics.latency.observe(Math.max(0, now - batch.markedAt) / 1000);
    metrics.parts.inc();
    metrics.partBytes.inc(bytes);
    const changed = this.stats.published(batch, { at: now, endDate: this.packager.endDate, shown });
    if (changed) this.publishStats();
  }

  private async fail(error: Error): Promise<void> {
    const message =
      error instanceof SessionFailure || error instanceof VolumeFullError
        ? error.message
        : 'The stream could not be written.';
    // Fenced: a replica that was frozen must not end a session that its successor serves well.
    await this.lease.condemn(message);
    this.deps.log.error({ sessionId: this.session.id, err: error }, 'session failed');
    await endFailedSession(this.deps, this.snapshot('ended'), { code: 'internal', message });
  }

  private snapshot(state: SessionState): PipelineStats {
    const recording = this.recorder?.state ?? 'off';
    return { ...this.stats.snapshot(state), recording };
  }

  private publishStats(): void {
    const stats = this.snapshot(this.packager.started ? 'live' : 'starting');
    if (this.packager.started)
      this.publishEvent({ type: 'stats', sessionId: this.session.id, stats });
    this.keepStats(stats).catch((error: unknown) =>
      warnUnlessOutage(this.deps.log, error, 'could not keep the stats'),
    );
  }

  private async keepStats(stats: PipelineStats): Promise<void> {
    const { registry } = this.deps;
    const { id } = this.session;
    if (this.packager.started) await registry.update(id, { state: 'live', stats });
    const session = await registry.get(id);
    if (!session) return this.deregistered.abort();
    // The log entry for a change is lost if a gateway dies before it writes it.
    this.protection.learn(session);
  }

  private publishEvent(event: FacecastEvent): void {
    publishEvent(this.deps.redis, event).catch((error: unknown) =>
      warnUnlessOutage(this.deps.log, error, 'could not publish an event', { type: event.type }),
    );
  }
}
