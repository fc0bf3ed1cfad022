import { publishEvent } from '@facecast/shared/protocol/events';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import { playlistPath } from '@facecast/shared/protocol/ingest-protocol';
import { SessionStage } from '@facecast/shared/lease/session-stage';
import type { Logger } from '@facecast/shared/runtime/logger';
import {
  RenderedBatchLog,
  RenderedBatchLogReader,
} from '@facecast/shared/redis/rendered-batch-log';
import { JobQueue } from '@facecast/shared/redis/queues';
import { type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { PlaylistWatcher } from './hls/playlist-watcher.js';
import { endFailedSession } from './session/end-session.js';
import { SessionFailure } from './session-failure.js';
import { Janitor } from './cleanup/janitor.js';
import { OrphanSweeper } from './cleanup/orphan-sweeper.js';
import type { SegmenterMetrics } from './metrics.js';
import type { PackagerSettings } from './hls/packager.js';
import { RecordingEdits } from './recording/recording-edits.js';
import { RecordingService } from './recording/recording-service.js';
import { segmentSession, type SegmentSessionDeps } from './session/segment-session.js';
import { StatsCounter } from './session/stats-counter.js';

export interface SegmenterOptions extends PackagerSettings {
  /** Directory of the sessions' folders; it must exist. */
  hlsDir: string;
  framesDir: string;
  /** Directory of recordings; made when a session wants one. */
  recordingsDir: string;
  recordingRetentionMs: number;
  /** Recordings stop when the disk has less free space. */
  recordingMinFreeBytes: number;
  retentionMs: number;
  sessionsPerReplica: number;
}

/** One replica of the service: owns sessions in the stage `segment` and does the work of each. */
export class Segmenter {
  private readonly deps: SegmentSessionDeps;
  private readonly stage: SessionStage;
  private readonly leaseJobs: JobQueue<'segment'>;
  private readonly janitor: Janitor;
  private readonly edits: RecordingEdits;

  /** `redis` must be a `worker` connection. */
  constructor(options: SegmenterOptions, redis: Redis, metrics: SegmenterMetrics, log: Logger) {
    const { hlsDir, recordingsDir, cadence } = options;
    const minFreeBytes = options.recordingMinFreeBytes;
    const recordings = new RecordingService({
      ...{ hlsDir, recordingsDir, cadence, minFreeBytes, metrics, log },
    });
    this.deps = {
      redis,
      hlsDir,
      log,
      metrics,
      recordings,
      registry: new SessionRegistry(redis),
      renderedLog: new RenderedBatchLog(redis),
      reader: new RenderedBatchLogReader(redis, log),
      detect: new JobQueue(redis, { kind: 'detect' }),
      decode: new JobQueue(redis, { kind: 'decode' }),
      frameStore: new DirectoryFrameStore(options.framesDir),
      watcher: new PlaylistWatcher(hlsDir, log, (sessionId) => this.announce(sessionId)),
      volume: new RetryOnDiskFull({
        ...{ volume: 'hls', log, refusals: metrics.volumeRefusals },
        freeSpace: () => this.janitor.freeSpace(),
      }),
      settings: { cadence, windowSeconds: options.windowSeconds },
    };
    this.leaseJobs = new JobQueue(redis, { kind: 'segment' });
    const { registry, frameStore } = this.deps;
    const abandon = (sessionId: string) => this.giveUp(sessionId, 'The stream was lost.');
    const orphanSweeper = new OrphanSweeper({
      ...{ redis, registry, frameStore, leaseJobs: this.leaseJobs, abandon, log },
    });
    this.edits = new RecordingEdits({
      ...{ redis, registry, recordingsDir, hlsDir, cadence, minFreeBytes, log },
    });
    this.janitor = new Janitor(hlsDir, options.retentionMs, registry, log, [
      orphanSweeper,
      { sweep: () => recordings.finishOrphans(registry) },
      this.edits,
      new Janitor(
        recordingsDir,
        options.recordingRetentionMs,
        registry,
        log,
        [],
        'expire recording',
      ),
    ]);
    this.stage = new SessionStage({
      queue: 'segment',
      concurrency: options.sessionsPerReplica,
      redis,
      log,
      work: (lease) => segmentSession(lease, this.deps),
      verdictOf: (reason) =>
        reason instanceof SessionFailure ? reason.message : 'The stream failed too often.',
      end: (lease, verdict) => this.giveUp(lease.sessionId, verdict),
    });
    metrics.countSessions(() => this.stage.size);
    this.janitor.start();
  }

  /** Rejects while the HLS volume is full. */
  checkFreeSpace(): Promise<void> {
    return this.deps.volume.check();
  }

  /** Releases every session to other replicas and takes no more. */
  async close(): Promise<void> {
    this.deps.volume.close();
    await this.edits.close();
    await this.stage.close();
    await Promise.all([
      this.deps.reader.close(),
      this.deps.watcher.close(),
      this.deps.detect.close(),
      this.deps.decode.close(),
      this.janitor.close(),
    ]);
    await this.leaseJobs.close();
  }

  /** Ends a session that several owners died of, or whose folder cannot be resumed. */
  private async giveUp(sessionId: string, message: string): Promise<void> {
    const session = await this.deps.registry.get(sessionId);
    if (!session) return;
    const { fps } = this.deps.settings.cadence;
    const stats = session.stats ?? new StatsCounter(sessionId, fps).snapshot('ended');
    await endFailedSession(this.deps, stats, { code: 'internal', message });
  }

  private announce(sessionId: string): void {
    publishEvent(this.deps.redis, {
      type: 'playlist_ready',
      sessionId,
      playlistUrl: playlistPath(sessionId),
    }).catch((error: unknown) =>
      warnUnlessOutage(this.deps.log, error, 'could not announce a playlist', { sessionId }),
    );
  }
}
