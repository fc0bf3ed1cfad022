import type { Redis } from './redis.js';
import { chunkKey } from './session-keys.js';

/**
 * The bytes of a session's chunks, which the jobs in its `chunks` queue refer to by number.
 * `SessionRegistry.storeChunks` writes them.
 */
export class ChunkStore {
  constructor(private readonly redis: Redis) {}

  /** Resolves to the bytes of chunk `n`; undefined if they are gone. */
  async read(sessionId: string, n: number): Promise<Buffer | undefined> {
    return (await this.redis.getBuffer(chunkKey(sessionId, n))) ?? undefined;
  }

  /** Removes the chunks `from` (included) to `to` (excluded). */
  async remove(sessionId: string, from: number, to: number): Promise<void> {
    const keys = Array.from({ length: to - from }, (_, i) => chunkKey(sessionId, from + i));
    if (keys.length > 0) await this.redis.unlink(keys);
  }

  /** Removes chunk `n` and all after it, up to the first that does not exist. */
  async removeFrom(sessionId: string, n: number): Promise<void> {
    while ((await this.redis.unlink(chunkKey(sessionId, n))) === 1) n++;
  }
}
