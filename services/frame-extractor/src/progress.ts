import { KEY_PREFIX, type Redis, SESSION_LIFETIME_SECONDS } from '@facecast/shared/redis';
import { z } from 'zod';
import { recoveryPointSchema } from './recovery.js';

const count = z.coerce.number().int().nonnegative();

const progressSchema = z.object({
  /** Which of the session's holders this is, counted from 1: what those before it save is refused. */
  holder: count.default(0),
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

/** How far decoding has come, in Redis: for whoever takes it up or ends it after its holder's death. */
export class ProgressStore {
  constructor(private readonly redis: Redis) {}

  /** Zeros for a session that has not begun. */
  async load(sessionId: string): Promise<Progress> {
    return progressSchema.parse(await this.redis.hgetall(progressKey(sessionId)));
  }

  /** The same for another holder: from now on the saves of all before it are refused. */
  async takeOver(sessionId: string): Promise<Progress> {
    const key = progressKey(sessionId);
    const replies = await this.redis
      .multi()
      .hincrby(key, 'holder', 1)
      .expire(key, SESSION_LIFETIME_SECONDS)
      .hgetall(key)
      .exec();
    return progressSchema.parse(replies?.at(-1)?.[1]);
  }

  /** The header of the recording that can be taken up at a key frame. */
  async loadHeader(sessionId: string): Promise<Buffer | undefined> {
    return (await this.redis.getBuffer(headerKey(sessionId))) ?? undefined;
  }

  /**
   * Saves all of it but from where to take up, in one step; false where another holder has taken the
   * session over.
   */
  async saveCounts(sessionId: string, progress: Progress): Promise<boolean> {
    return this.saveFields(sessionId, progress.holder, countsOf(progress), 0, '');
  }

  /** Saves all of it, and a header where there is a new one, and puts their expiry off; false as above. */
  async save(
    sessionId: string,
    progress: Progress,
    header: Buffer | string = '',
  ): Promise<boolean> {
    const recovery = JSON.stringify(progress.recovery ?? null);
    const fields = { ...countsOf(progress), recovery };
    return this.saveFields(sessionId, progress.holder, fields, SESSION_LIFETIME_SECONDS, header);
  }

  private async saveFields(
    sessionId: string,
    holder: number,
    fields: Record<string, number | string>,
    lifetimeSeconds: number,
    header: Buffer | string,
  ): Promise<boolean> {
    const keys = [progressKey(sessionId), headerKey(sessionId)];
    const args = [holder, lifetimeSeconds, header, ...Object.entries(fields).flat()];
    return (await this.redis.eval(SAVE, keys.length, ...keys, ...args)) === 1;
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

const SAVE = `
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3]) end
if ARGV[2] ~= '0' then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
return 1`;
