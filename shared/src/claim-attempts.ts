import type { ClaimQueue } from './queues.js';
import { KEY_PREFIX, type Redis } from './redis.js';

/** Holders that died further apart than this did not die of the session. */
const FORGOTTEN_AFTER_SECONDS = 60;

/**
 * How many holders each session of a stage had since it last got further: in Redis, where it outlives
 * those who die. One of a stage's replicas counts at a time, the one that holds the claim.
 */
export class ClaimAttempts {
  /** Sessions of this replica that have not got further yet. */
  private readonly counted = new Set<string>();

  constructor(
    private readonly redis: Redis,
    private readonly queue: ClaimQueue,
  ) {}

  /** Resolves to 1 for the first holder, and to one more for each that follows without progress. */
  async begin(sessionId: string): Promise<number> {
    const key = this.key(sessionId);
    this.counted.add(sessionId);
    const counted = await this.redis.multi().incr(key).expire(key, FORGOTTEN_AFTER_SECONDS).exec();
    return Number(counted?.[0]?.[1]);
  }

  /** The session has got further: whoever comes after is the first one again. Costs nothing when repeated. */
  progressed(sessionId: string): void {
    // Where Redis is gone, and with it this news, the count is forgotten in a while.
    if (this.counted.has(sessionId)) this.forget(sessionId).catch(() => {});
  }

  /** The session is over, or was given back: nobody died of it. */
  async forget(sessionId: string): Promise<void> {
    this.counted.delete(sessionId);
    await this.redis.unlink(this.key(sessionId));
  }

  private key(sessionId: string): string {
    return `${KEY_PREFIX}:attempts:${sessionId}:${this.queue}`;
  }
}
