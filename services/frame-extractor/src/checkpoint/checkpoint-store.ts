import { FENCE, LeaseLostError, type Fence } from '@facecast/shared/lease/lease';
import { type Redis, SESSION_TTL_SECONDS } from '@facecast/shared/redis/redis';
import { checkpointKey, headerKey } from '@facecast/shared/redis/session-keys';
import { z } from 'zod';
import { resumePointSchema } from './keyframe-tracker.js';

const count = z.coerce.number().int().nonnegative();

const progressSchema = z.object({
  /** Number of the chunk to be consumed next. */
  nextChunk: count.default(0),
  /** Number of the oldest chunk that is not removed. */
  keptFrom: count.default(0),
  /** How many batches are dispatched, and how many frames are in them. */
  batches: count.default(0),
  frames: count.default(0),
  /** Frames whose audio is written; equals `frames` where there is none. */
  heard: count.default(0),
  /** Pixels of the session's picture; undefined before the first batch. */
  width: count.optional(),
  height: count.optional(),
  /** When frame 0 was captured, in milliseconds since 1970. */
  capturedFrom: z.coerce.number().optional(),
  /** Where decoding can be resumed; null if nowhere, undefined before the first chunk. */
  recovery: z
    .string()
    .transform((text) => resumePointSchema.nullable().parse(JSON.parse(text)))
    .optional(),
});

/** How far a session's decoding has come. */
export type Progress = Readonly<z.infer<typeof progressSchema>>;

/** Checkpoints in Redis, for the replica that resumes or ends a session after its owner's death. */
export class CheckpointStore {
  constructor(private readonly redis: Redis) {}

  /** The session's progress; all zeros if it has not begun. */
  async load(sessionId: string): Promise<Progress> {
    return progressSchema.parse(await this.redis.hgetall(checkpointKey(sessionId)));
  }

  /** The header of the input stream that the resume point is in; undefined if that is its beginning. */
  async loadHeader(sessionId: string): Promise<Buffer | undefined> {
    return (await this.redis.getBuffer(headerKey(sessionId))) ?? undefined;
  }

  /**
   * Saves the counts of `progress`, but not the resume point.
   * @throws {LeaseLostError} if another replica owns the session: then nothing is saved
   */
  async saveCounts(lease: Fence, progress: Progress): Promise<void> {
    await this.saveFields(lease, countsOf(progress), 0, '');
  }

  /**
   * Saves `progress` with its resume point, a new `header` if there is one, and renews their expiry.
   * @throws {LeaseLostError} if another replica owns the session: then nothing is saved
   */
  async save(lease: Fence, progress: Progress, header: Buffer | string = ''): Promise<void> {
    const recovery = JSON.stringify(progress.recovery ?? null);
    const fields = { ...countsOf(progress), recovery };
    await this.saveFields(lease, fields, SESSION_TTL_SECONDS, header);
  }

  async remove(sessionId: string): Promise<void> {
    await this.redis.unlink(checkpointKey(sessionId), headerKey(sessionId));
  }

  private async saveFields(
    { sessionId, key, epoch }: Fence,
    fields: Record<string, number | string>,
    lifetimeSeconds: number,
    header: Buffer | string,
  ): Promise<void> {
    const keys = [key, checkpointKey(sessionId), headerKey(sessionId)];
    const args = [epoch, lifetimeSeconds, header, ...Object.entries(fields).flat()];
    const saved = await this.redis.eval(SAVE, keys.length, ...keys, ...args);
    if (saved !== 1) throw new LeaseLostError();
  }
}

function countsOf(progress: Progress): Record<string, number> {
  const fields = Object.entries(progress).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(fields) as Record<string, number>;
}

const SAVE = `${FENCE}redis.call('HSET', KEYS[2], unpack(ARGV, 4))
if ARGV[3] ~= '' then redis.call('SET', KEYS[3], ARGV[3]) end
if ARGV[2] ~= '0' then
  redis.call('EXPIRE', KEYS[2], ARGV[2])
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
return 1`;
