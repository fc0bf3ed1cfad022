import { publishEvent } from '@facecast/shared/protocol/events';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { PatientVolume } from '@facecast/shared/runtime/full-volume';
import { playlistUrl } from '@facecast/shared/protocol/ingest-protocol';
import { SessionStage } from '@facecast/shared/lease/session-stage';
import type { Logger } from '@facecast/shared/runtime/logger';
import { MarkedLog, MarkedLogReader } from '@facecast/shared/redis/marked-log';
import { JobQueue } from '@facecast/shared/redis/queues';
import { type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/sessions';
import { PlaylistWatcher } from './hls/playlist-watcher.js';
import { endFailedSession } from './session/end-session.js';
import { SessionFailure } from './session-failure.js';
import { Janitor } from './cleanup/janitor.js';
import { Leftovers } from './cleanup/orphan-sweeper.js';
import type { SegmenterMetrics } from './metrics.js';
import type { PackagerSettings } from './hls/packager.js';
import { Recordings } from './recording/recording-service.js';
import { segmentSession, type SessionTools } from './session/segment-session.js';
import { SessionStats } from './session/stats-counter.js';

export interface SegmenterOptions extends PackagerSettings {
  /** Directory of the sessions' folders; it must be there. */
  hlsDir: string;
  framesDir: string;
  /** Directory of recordings, made where a session wants one. */
  recordingsDir: string;
  recordingRetentionMs: number;
  /** Recordings stop where the disk has less left. */
  recordingMinFreeBytes: number;
  retentionMs: number;
  sessionsPerReplica: number;
}

/** One replica: holds sessions, and does the work of each. */
export class Segmenter {
  private readonly tools: SessionTools;
  private readonly stage: SessionStage;
  private readonly claims: JobQueue<'segment'>;
  private readonly janitor: Janitor;

  /** `redis` must be a `worker` connection. */
  constructor(options: SegmenterOptions, redis: Redis, metrics: SegmenterMetrics, log: Logger) {
    const { hlsDir, recordingsDir, cadence } = options;
    const minFreeBytes = options.recordingMinFreeBytes;
    const recordings = new Recordings({
      ...{ hlsDir, recordingsDir, cadence, minFreeBytes, metrics, log },
    });
    this.tools = {
      redis,
      hlsDir,
      log,
      metrics,
      recordings,
      registry: new SessionRegistry(redis),
      markedLog: new MarkedLog(redis),
      reader: new MarkedLogReader(redis, log),
      detect: new JobQueue(redis, { kind: 'detect' }),
      decode: new JobQueue(redis, { kind: 'decode' }),
      frames: new DirectoryFrameStore(options.framesDir),
      watcher: new PlaylistWatcher(hlsDir, log, (sessionId) => this.announce(sessionId)),
      volume: new PatientVolume({
        ...{ volume: 'hls', log, refusals: metrics.volumeRefusals },
        makeRoom: () => this.janitor.makeRoom(),
      }),
      settings: { cadence, windowSeconds: options.windowSeconds },
    };
    this.claims = new JobQueue(redis, { kind: 'segment' });
    const { registry, frames } = this.tools;
    const abandon = (sessionId: string) => this.giveUp(sessionId, 'The stream was lost.');
    const leftovers = new Leftovers({
      ...{ redis, registry, frames, claims: this.claims, abandon, log },
    });
    this.janitor = new Janitor(hlsDir, options.retentionMs, registry, log, [
      leftovers,
      { sweep: () => recordings.finishLeft(registry) },
      new Janitor(recordingsDir, options.recordingRetentionMs, registry, log),
    ]);
    this.stage = new SessionStage({
      queue: 'segment',
      concurrency: options.sessionsPerReplica,
      redis,
      log,
      work: (lease) => segmentSession(lease, this.tools),
      verdictOf: (reason) =>
        reason instanceof SessionFailure ? reason.message : 'The stream failed too often.',
      end: (lease, verdict) => this.giveUp(lease.sessionId, verdict),
    });
    metrics.countSessions(() => this.stage.size);
    this.janitor.start();
  }

  /** Rejects while the HLS volume is full. */
  checkRoom(): Promise<void> {
    return this.tools.volume.check();
  }

  /** Hands every session over and takes no more. */
  async close(): Promise<void> {
    this.tools.volume.close();
    await this.stage.close();
    await Promise.all([
      this.tools.reader.close(),
      this.tools.watcher.close(),
      this.tools.detect.close(),
      this.tools.decode.close(),
      this.janitor.close(),
    ]);
    await this.claims.close();
  }

  /** Ends a session that took several holders with it, or whose folder cannot be gone on with. */
  private async giveUp(sessionId: string, message: string): Promise<void> {
    const session = await this.tools.registry.get(sessionId);
    if (!session) return;
    const { fps } = this.tools.settings.cadence;
    const stats = session.stats ?? new SessionStats(sessionId, fps).snapshot('ended');
    await endFailedSession(this.tools, stats, { code: 'internal', message });
  }

  private announce(sessionId: string): void {
    publishEvent(this.tools.redis, {
      type: 'playlist_ready',
      sessionId,
      playlistUrl: playlistUrl(sessionId),
    }).catch((error: unknown) =>
      warnUnlessOutage(this.tools.log, error, 'could not announce a playlist', { sessionId }),
    );
  }
}
