import type { ChunkStore } from '@facecast/shared/redis/chunks';
import type { EventSubscription } from '@facecast/shared/protocol/events';
import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { PatientVolume } from '@facecast/shared/runtime/full-volume';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { MarkedLog } from '@facecast/shared/redis/marked-log';
import type { JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';
import type { Cadence } from '@facecast/shared/runtime/settings';
import type { Patience } from './video/video-decoder.js';
import type { Picture } from './video/ffmpeg-arguments.js';
import type { ExtractorMetrics } from './metrics.js';
import type { ProgressStore } from './checkpoint/checkpoint-store.js';

/** What the work on all sessions of a replica shares. */
export interface Deps {
  redis: Redis;
  sessions: SessionRegistry;
  chunks: ChunkStore;
  progress: ProgressStore;
  detect: JobQueue<'detect'>;
  markedLog: MarkedLog;
  store: FrameStore;
  /** Where the store is. */
  volume: PatientVolume;
  events: EventSubscription;
  cadence: Cadence;
  picture: Picture;
  patience: Patience;
  /** See MAX_LEAD_SECONDS. */
  leadMs: number;
  metrics: ExtractorMetrics;
  log: Logger;
}
