import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { publishEvent, type FacecastEvent } from '@facecast/shared/protocol/events';
import type { Logger } from '@facecast/shared/runtime/logger';
import { KEY_PREFIX, type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { SessionOwners } from '@facecast/shared/redis/session-owners';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';
import { LRUCache } from 'lru-cache';
import type { ViewingLinks } from '../access/viewing-links.js';
import type { LiveSessions } from './live-sessions.js';
import type { Recordings } from '../media/recordings.js';

/** How often it is looked for what is still to be removed, in milliseconds. */
const SWEEP_MS = 5_000;
/** What was deleted is removed again until then: a recording may be finished beside the session's end. */
const KEPT_MS = 120_000;
/** Sessions whose deletion a gateway knows of. What is older has no files any more. */
const MAX_KNOWN = 100_000;

/** Deleted sessions, the time of the deletion in milliseconds as their score. */
const DELETED_KEY = `${KEY_PREFIX}:deleted`;

/** What is removed, and from where. */
export interface DeletionParts {
  redis: Redis;
  registry: SessionRegistry;
  sessionOwners: Pick<SessionOwners, 'forget'>;
  sessions: LiveSessions;
  recordings: Recordings;
  links: Pick<ViewingLinks, 'revoke'>;
  hlsDir: string;
  log: Logger;
}

/**
 * Sessions that somebody deleted. No gateway answers for one from then on; what there is of it is removed
 * at once, or when a session that still runs has ended, by any gateway.
 */
export class DeletedSessions {
  private readonly known = new LRUCache<string, true>({ max: MAX_KNOWN });
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly parts: DeletionParts,
    sweepMs = SWEEP_MS,
  ) {
    this.timer = setInterval(() => void this.sweep(), sweepMs).unref();
  }

  /** Whether a session was deleted. */
  has(sessionId: string): boolean {
    return this.known.has(sessionId);
  }

  /** Deletes a session. What runs is ended, and removed when it has. */
  async delete(sessionId: string): Promise<void> {
    const { redis, sessions } = this.parts;
    await redis.zadd(DELETED_KEY, Date.now(), sessionId);
    this.known.set(sessionId, true);
    await publishEvent(redis, { type: 'deleted', sessionId });
    await sessions.end(sessionId);
    await this.remove(sessionId);
  }

  /** Takes notice of an event, of whatever session. */
  receive({ type, sessionId }: FacecastEvent): void {
    if (type === 'deleted') this.known.set(sessionId, true);
    if (type === 'ended' && this.known.has(sessionId))
      this.remove(sessionId).catch(this.logFailure);
  }

  /** Learns of deletions whose news was lost, and removes what is left of all. */
  async sweep(): Promise<void> {
    const { redis, registry } = this.parts;
    try {
      const all = await redis.zrange(DELETED_KEY, '0', '-1', 'WITHSCORES');
      for (let i = 0; i < all.length; i += 2) {
        const [sessionId = '', deletedAt] = all.slice(i, i + 2);
        this.known.set(sessionId, true);
        await this.remove(sessionId);
        const isOld = Date.now() - Number(deletedAt) > KEPT_MS;
        if (isOld && !(await registry.get(sessionId))) await redis.zrem(DELETED_KEY, sessionId);
      }
    } catch (error) {
      this.logFailure(error);
    }
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Nothing while the session runs: whoever works on it would make it anew. */
  private async remove(sessionId: string): Promise<void> {
    const { registry, sessionOwners, recordings, links, hlsDir } = this.parts;
    if (await registry.get(sessionId)) return;
    await rm(join(hlsDir, sessionId), { recursive: true, force: true, maxRetries: 3 });
    await recordings.remove(sessionId);
    await links.revoke(sessionId);
    await sessionOwners.forget(sessionId);
  }

  private readonly logFailure = (error: unknown) =>
    warnUnlessOutage(this.parts.log, error, 'a deleted session could not be removed yet');
}
