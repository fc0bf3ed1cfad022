import { KEY_PREFIX, type Redis } from './redis.js';

/**
 * The bytes of a session's chunks, which the jobs in its `chunks` queue only name. They are written by
 * `SessionRegistry.storeChunks`.
 */
export class ChunkStore {
  constructor(private readonly redis: Redis) {}

  /** Chunk `n`, or undefined where it is gone. */
  async read(sessionId: string, n: number): Promise<Buffer | undefined> {
    return (await this.redis.getBuffer(chunkKey(sessionId, n))) ?? undefined;
  }

  /** Removes the chunks from number `from` to before `to`. */
  async remove(sessionId: string, from: number, to: number): Promise<void> {
    const keys = Array.from({ length: to - from }, (_, i) => chunkKey(sessionId, from + i));
    if (keys.length > 0) await this.redis.unlink(keys);
  }

  /** Removes chunk `n` and all that follow it without a gap. */
  async removeFrom(sessionId: string, n: number): Promise<void> {
    while ((await this.redis.unlink(chunkKey(sessionId, n))) === 1) n++;
  }
}

export function chunkKey(sessionId: string, n: number): string {
  return `${KEY_PREFIX}:chunk:${sessionId}:${n}`;
}
