import { publishEvent } from '@facecast/shared/events';
import { DirectoryFrameStore } from '@facecast/shared/frame-store';
import { PatientVolume } from '@facecast/shared/full-volume';
import { playlistUrl } from '@facecast/shared/ingest-protocol';
import type { Logger } from '@facecast/shared/logger';
import { MarkedLog, MarkedLogReader } from '@facecast/shared/marked-log';
import { JobQueue } from '@facecast/shared/queues';
import { type Redis, warnUnlessOutage } from '@facecast/shared/redis';
import { SessionStage } from '@facecast/shared/session-stage';
import { SessionRegistry } from '@facecast/shared/sessions';
import { PlaylistWatcher } from './announce.js';
import { endFailedSession, forgetSession, readSummary } from './ending.js';
import { Janitor } from './janitor.js';
import { Leftovers } from './leftovers.js';
import type { SegmenterMetrics } from './metrics.js';
import type { PackagerSettings } from './packager.js';
import { Recordings } from './recording/recordings.js';
import { SegmentedSession, type SessionTools } from './session.js';
import { SessionStats } from './stats.js';

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
  /** A session whose next batch has not come for this long, while others wait for it, is ended. */
  longestGapMs?: number;
}

const LONGEST_GAP_MS = 30_000;

/** One replica: holds sessions, and does the work of each. */
export class Segmenter {
  private readonly tools: SessionTools;
  private readonly stage: SessionStage;
  private readonly claims: JobQueue<'segment'>;
  private readonly janitor: Janitor;
  private readonly working = new Map<string, Promise<void>>();

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
      frames: new DirectoryFrameStore(options.framesDir),
      watcher: new PlaylistWatcher(hlsDir, log, (sessionId) => this.announce(sessionId)),
      longestGapMs: options.longestGapMs ?? LONGEST_GAP_MS,
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
      work: (sessionId, signal, progressed) => this.work(sessionId, signal, progressed),
      giveUp: (sessionId) => this.giveUp(sessionId, 'The stream failed too often.'),
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
      this.janitor.close(),
    ]);
    await this.claims.close();
  }

  /** A claim that was lost and won again waits for the end of what was done under the lost one. */
  private async work(sessionId: string, signal: AbortSignal, progressed: () => void) {
    await this.working.get(sessionId)?.catch(() => {});
    const work = this.workOn(sessionId, signal, progressed);
    this.working.set(sessionId, work);
    try {
      await work;
    } finally {
      if (this.working.get(sessionId) === work) this.working.delete(sessionId);
    }
  }

  private async workOn(sessionId: string, signal: AbortSignal, progressed: () => void) {
    const summary = await readSummary(this.tools.hlsDir, sessionId);
    if (summary) return forgetSession(this.tools, summary);
    const session = await this.tools.registry.get(sessionId);
    if (!session) return;
    const segmented = await SegmentedSession.open(this.tools, session);
    await segmented.run(signal, progressed);
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
