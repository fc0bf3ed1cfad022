import { randomUUID } from 'node:crypto';
import type { StageQueue } from '../redis/queues.js';
import { KEY_PREFIX, type Redis } from '../redis/redis.js';

/** Owners that died further apart than this did not die of the session. */
const FORGOTTEN_AFTER_SECONDS = 60;
/** How the connection is called by which Redis knows that a replica lives. */
const NAME_PREFIX = `${KEY_PREFIX}-owner-`;

/**
 * How many owners of each session died since it last got further: in Redis, where it outlives them.
 *
 * A lock that ran out is no death: a replica may be starved, frozen, or cut off for a while. Whether one
 * is dead its connection tells, which the kernel closes with the process, and not before.
 */
export class OwnerDeaths {
  private readonly id = `${NAME_PREFIX}${randomUUID()}`;
  private readonly presence: Redis;
  /** Sessions of this replica that have not got further yet. */
  private readonly noted = new Set<string>();

  constructor(
    private readonly redis: Redis,
    private readonly queue: StageQueue,
  ) {
    this.presence = redis.duplicate({ connectionName: this.id, maxRetriesPerRequest: null });
    // The connection that the replica works with tells of an outage.
    this.presence.on('error', () => {});
  }

  /** Notes this replica as the session's owner; resolves to how many died before it without progress. */
  async begin(sessionId: string): Promise<number> {
    const key = this.key(sessionId);
    // Known by its name before it is noted: else it would pass for dead.
    await this.presence.ping();
    this.noted.add(sessionId);
    const replies = await this.redis
      .multi()
      .smembers(key)
      .sadd(key, this.id)
      .expire(key, FORGOTTEN_AFTER_SECONDS)
      .exec();
    const others = (replies?.[0]?.[1] as string[]).filter((id) => id !== this.id);
    if (others.length === 0) return 0;
    const living = await this.livingOwners();
    const survivors = others.filter((id) => living.has(id));
    if (survivors.length > 0) await this.redis.srem(key, ...survivors);
    return others.length - survivors.length;
  }

  /** The session has got further: nobody before died of it. Costs nothing when repeated. */
  progressed(sessionId: string): void {
    // Where Redis is gone, and with it this news, the owners are forgotten in a while.
    if (this.noted.delete(sessionId)) this.redis.unlink(this.key(sessionId)).catch(() => {});
  }

  /** This replica is not the session's owner any more, and lives. */
  async survived(sessionId: string): Promise<void> {
    this.noted.delete(sessionId);
    await this.redis.srem(this.key(sessionId), this.id);
  }

  /** The session is over. */
  async remove(sessionId: string): Promise<void> {
    this.noted.delete(sessionId);
    await this.redis.unlink(this.key(sessionId));
  }

  close(): void {
    this.presence.disconnect();
  }

  private async livingOwners(): Promise<Set<string>> {
    const clients = (await this.redis.client('LIST')) as string;
    return new Set([...clients.matchAll(/ name=(\S+)/g)].map(([, name]) => name!));
  }

  private key(sessionId: string): string {
    return `${KEY_PREFIX}:owners:${sessionId}:${this.queue}`;
  }
}
