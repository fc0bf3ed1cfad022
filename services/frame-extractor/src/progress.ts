import { KEY_PREFIX, type Redis } from '@facecast/shared/redis';
import { z } from 'zod';

const count = z.coerce.number().int().nonnegative();

const progressSchema = z.object({
  /** The chunk that is to be fed next. */
  nextChunk: count.default(0),
  /** Batches and frames that are handed on. */
  batches: count.default(0),
  frames: count.default(0),
});

/** How far a session's decoding has come. */
export type Progress = z.infer<typeof progressSchema>;

/** A session whose decoding has not moved for a day is nobody's any more. */
const LIFETIME_SECONDS = 86_400;

/** How far decoding has come, in Redis: for whoever must end it after its holder's death. */
export class ProgressStore {
  constructor(private readonly redis: Redis) {}

  /** Zeros for a session that has not begun. */
  async load(sessionId: string): Promise<Progress> {
    return progressSchema.parse(await this.redis.hgetall(progressKey(sessionId)));
  }

  async save(sessionId: string, progress: Partial<Progress>): Promise<void> {
    const key = progressKey(sessionId);
    await this.redis.multi().hset(key, progress).expire(key, LIFETIME_SECONDS).exec();
  }

  async remove(sessionId: string): Promise<void> {
    await this.redis.unlink(progressKey(sessionId));
  }
}

const progressKey = (sessionId: string) => `${KEY_PREFIX}:decoding:${sessionId}`;
