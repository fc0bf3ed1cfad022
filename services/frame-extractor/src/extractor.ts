import { ChunkStore } from '@facecast/shared/redis/chunks';
import { EventSubscription } from '@facecast/shared/protocol/events';
import type { FrameStore } from '@facecast/shared/media/frame-store';
import { RetryOnDiskFull, VolumeFullError } from '@facecast/shared/runtime/retry-on-disk-full';
import type { Fence } from '@facecast/shared/lease/lease';
import { SessionStage } from '@facecast/shared/lease/session-stage';
import type { Logger } from '@facecast/shared/runtime/logger';
import { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import { JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { cadenceOf } from '@facecast/shared/runtime/settings';
import { removeInput, appendEnd } from './end-of-input.js';
import type { Config } from './config.js';
import { MAX_IN_FLIGHT } from './dispatch/in-flight-window.js';
import { STALL_LIMITS } from './video/video-decoder.js';
import type { Deps } from './deps.js';
import type { FailureReason } from './decode-failure.js';
import type { ExtractorMetrics } from './metrics.js';
import { CheckpointStore } from './checkpoint/checkpoint-store.js';
import { decodeSession } from './decode-session.js';

interface ExtractorOptions {
  config: Pick<
    Config,
    | 'FPS'
    | 'PART_SECONDS'
    | 'SEGMENT_SECONDS'
    | 'MAX_WIDTH'
    | 'MAX_HEIGHT'
    | 'SESSIONS_PER_REPLICA'
    | 'MAX_LEAD_SECONDS'
  >;
  redis: Redis;
  frameStore: FrameStore;
  metrics: ExtractorMetrics;
  log: Logger;
  stallLimits?: Deps['stallLimits'];
  mostInFlight?: Deps['mostInFlight'];
}

/** One replica of the service: owns sessions in the stage `decode` and decodes each of them. */
export class Extractor {
  private constructor(
    private readonly stage: SessionStage,
    private readonly deps: Deps,
  ) {}

  /** @param options.redis a `worker` connection */
  static async start(options: ExtractorOptions): Promise<Extractor> {
    const { config, redis, log } = options;
    const deps = await createDeps(options);
    const stage = new SessionStage({
      queue: 'decode',
      concurrency: config.SESSIONS_PER_REPLICA,
      ...{ redis, log },
      work: (lease) => decodeSession(lease, deps),
      verdictOf: (reason) => (reason instanceof VolumeFullError ? 'no_room' : 'given_up'),
      end: (lease, verdict) => giveUp(lease, verdict as FailureReason, deps),
    });
    return new Extractor(stage, deps);
  }

  /** Rejects while the frame store is full. */
  checkFreeSpace(): Promise<void> {
    return this.deps.volume.check();
  }

  /** Releases every session to other replicas and stops. */
  async close(): Promise<void> {
    this.deps.volume.close();
    await this.stage.close();
    await this.deps.detect.close();
    await this.deps.events.close();
  }
}

/** Makes what all sessions of a replica share. */
export async function createDeps(options: ExtractorOptions): Promise<Deps> {
  const { config, redis, frameStore, metrics, log } = options;
  const { stallLimits = STALL_LIMITS, mostInFlight = MAX_IN_FLIGHT } = options;
  return {
    ...{ redis, frameStore, metrics, log, stallLimits, mostInFlight },
    volume: new RetryOnDiskFull({ volume: 'frames', log, refusals: metrics.volumeRefusals }),
    registry: new SessionRegistry(redis),
    chunks: new ChunkStore(redis),
    checkpoints: new CheckpointStore(redis),
    detect: new JobQueue(redis, { kind: 'detect' }),
    renderedLog: new RenderedBatchLog(redis),
    events: await EventSubscription.open(redis, log),
    cadence: cadenceOf(config),
    leadMs: config.MAX_LEAD_SECONDS * 1000,
    picture: { fps: config.FPS, maxWidth: config.MAX_WIDTH, maxHeight: config.MAX_HEIGHT },
  };
}

async function giveUp(lease: Fence, verdict: FailureReason, deps: Deps): Promise<void> {
  const { sessionId } = lease;
  if (await deps.registry.get(sessionId)) {
    const progress = await deps.checkpoints.load(sessionId);
    await appendEnd(deps, lease, progress, verdict);
  }
  await removeInput(deps, sessionId);
}
