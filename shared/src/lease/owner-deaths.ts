import { randomUUID } from 'node:crypto';
import type { LeaseQueue } from '../redis/queues.js';
import { KEY_PREFIX, type Redis } from '../redis/redis.js';
import { stageOwnersKey } from '../redis/session-keys.js';

/** Deaths further apart than this were not caused by the session. */
const FORGOTTEN_AFTER_SECONDS = 60;
/** Prefix of the name of the connection by which others see that a replica lives. */
const NAME_PREFIX = `${KEY_PREFIX}-owner-`;

/**
 * Counts the owners of each session that died since its last progress; kept in Redis.
 *
 * An expired lock is no death: a replica may be starved, frozen or cut off. It is dead when its named
 * connection is gone, which the kernel closes with the process.
 */
export class OwnerDeaths {
  private readonly id = `${NAME_PREFIX}${randomUUID()}`;
  private readonly presence: Redis;
  /** Ids of this replica's sessions that have made no progress so far. */
  private readonly noted = new Set<string>();

  constructor(
    private readonly redis: Redis,
    private readonly queue: LeaseQueue,
  ) {
    this.presence = redis.duplicate({ connectionName: this.id, maxRetriesPerRequest: null });
    // The replica's main connection logs an outage.
    this.presence.on('error', () => {});
  }

  /** Records this replica as owner; resolves to how many owners died before it without progress. */
  async begin(sessionId: string): Promise<number> {
    const key = this.key(sessionId);
    // Redis must know the connection's name before it is recorded, or this replica would pass for dead.
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

  /** Forgets earlier deaths, because the session made progress. Repeated calls cost nothing. */
  progressed(sessionId: string): void {
    // If Redis is gone, the key expires by itself.
    if (this.noted.delete(sessionId)) this.redis.unlink(this.key(sessionId)).catch(() => {});
  }

  /** Removes this replica from the owners, because it released the session alive. */
  async survived(sessionId: string): Promise<void> {
    this.noted.delete(sessionId);
    await this.redis.srem(this.key(sessionId), this.id);
  }

  /** Removes the owners of a session that has ended. */
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
    return stageOwnersKey(this.queue, sessionId);
  }
}
