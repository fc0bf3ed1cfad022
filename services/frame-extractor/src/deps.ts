import type { ChunkStore } from '@facecast/shared/redis/chunks';
import type { EventSubscription } from '@facecast/shared/protocol/events';
import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import type { JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { Cadence } from '@facecast/shared/runtime/settings';
import type { StallLimits } from './video/video-decoder.js';
import type { Picture } from './video/ffmpeg-arguments.js';
import type { ExtractorMetrics } from './metrics.js';
import type { CheckpointStore } from './checkpoint/checkpoint-store.js';

/** What all sessions of a replica share. */
export interface Deps {
  redis: Redis;
  registry: SessionRegistry;
  chunks: ChunkStore;
  checkpoints: CheckpointStore;
  detect: JobQueue<'detect'>;
  renderedLog: RenderedBatchLog;
  frameStore: FrameStore;
  /** The volume that `store` is on. */
  volume: RetryOnDiskFull;
  events: EventSubscription;
  cadence: Cadence;
  picture: Picture;
  stallLimits: StallLimits;
  /** Maximum number of a session's batches in flight. */
  mostInFlight: number;
  /** How far media may be ahead of a live camera, in milliseconds (MAX_LEAD_SECONDS). */
  leadMs: number;
  metrics: ExtractorMetrics;
  log: Logger;
}
