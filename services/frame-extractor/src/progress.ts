import { KEY_PREFIX, type Redis } from '@facecast/shared/redis';
import { z } from 'zod';
import { recoveryPointSchema } from './recovery.js';

const count = z.coerce.number().int().nonnegative();

const progressSchema = z.object({
  /** The chunk that is to be acknowledged next. */
  nextChunk: count.default(0),
  /** The oldest chunk that is not removed. */
  keptFrom: count.default(0),
  /** Batches and frames that are handed on. */
  batches: count.default(0),
  frames: count.default(0),
  /** Frames whose sound is written, too, where there is any. */
  heard: count.default(0),
  /** Size of the session's picture; not there before the first batch. */
  width: count.optional(),
  height: count.optional(),
  /** When frame 0 was captured, in milliseconds since 1970. */
  capturedFrom: z.coerce.number().optional(),
  /** From where it can be taken up; null where it cannot, not there before the first chunk. */
  recovery: z
    .string()
    .transform((text) => recoveryPointSchema.nullable().parse(JSON.parse(text)))
    .optional(),
});

/** How far a session's decoding has come. */
export type Progress = z.infer<typeof progressSchema>;

/** A session whose decoding has not moved for a day is nobody's any more. */
const LIFETIME_SECONDS = 86_400;

/** How far decoding has come, in Redis: for whoever takes it up or ends it after its holder's death. */
export class ProgressStore {
  constructor(private readonly redis: Redis) {}

  /** Zeros for a session that has not begun. */
  async load(sessionId: string): Promise<Progress> {
    return progressSchema.parse(await this.redis.hgetall(progressKey(sessionId)));
  }

  /** The header of the recording that can be taken up at a key frame. */
  async loadHeader(sessionId: string): Promise<Buffer | undefined> {
    return (await this.redis.getBuffer(headerKey(sessionId))) ?? undefined;
  }

  /** Saves all of it but from where to take up. */
  async saveCounts(sessionId: string, progress: Progress): Promise<void> {
    await this.redis.hset(progressKey(sessionId), countsOf(progress));
  }

  /** Saves all of it in one step, and puts its expiry off. */
  async save(sessionId: string, progress: Progress): Promise<void> {
    const key = progressKey(sessionId);
    const recovery = JSON.stringify(progress.recovery ?? null);
    await this.redis
      .multi()
      .hset(key, { ...countsOf(progress), recovery })
      .expire(key, LIFETIME_SECONDS)
      .expire(headerKey(sessionId), LIFETIME_SECONDS)
      .exec();
  }

  async saveHeader(sessionId: string, header: Buffer): Promise<void> {
    await this.redis.set(headerKey(sessionId), header, 'EX', LIFETIME_SECONDS);
  }

  async remove(sessionId: string): Promise<void> {
    await this.redis.unlink(progressKey(sessionId), headerKey(sessionId));
  }
}

const progressKey = (sessionId: string) => `${KEY_PREFIX}:decoding:${sessionId}`;
const headerKey = (sessionId: string) => `${KEY_PREFIX}:recording:${sessionId}`;

function countsOf(progress: Progress): Record<string, number> {
  const fields = Object.entries(progress).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(fields) as Record<string, number>;
}
