import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { publishEvent, type FacecastEvent } from '@facecast/shared/protocol/events';
import type { Logger } from '@facecast/shared/runtime/logger';
import { KEY_PREFIX, type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { SessionOwners } from '@facecast/shared/redis/session-owners';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { LRUCache } from 'lru-cache';
import type { ViewingLinks } from '../access/viewing-links.js';
import type { LiveSessions } from './live-sessions.js';
import type { Recordings } from '../media/recordings.js';

/** Time between two sweeps for files that are still to be removed, in milliseconds. */
const SWEEP_MS = 5_000;
/**
 * How long a deleted session's files are removed again, in milliseconds: a recording may be finished after
 * the session's end.
 */
const KEPT_MS = 120_000;
/** Maximum number of deleted sessions that a gateway keeps; older ones have no files any more. */
const MAX_KNOWN = 100_000;

/** Sorted set of deleted sessions, by the time of the deletion in milliseconds. */
const DELETED_KEY = `${KEY_PREFIX}:deleted`;

/** What the deletion of sessions works with. */
export interface DeletionDeps {
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
 * Deleted sessions, for which no gateway answers. Their files and keys are removed at once, or, if the
 * session still runs, when it has ended, by any gateway.
 */
export class DeletedSessions {
  private readonly known = new LRUCache<string, true>({ max: MAX_KNOWN });
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly deps: DeletionDeps,
    sweepMs = SWEEP_MS,
  ) {
    this.timer = setInterval(() => void this.sweep(), sweepMs).unref();
  }

  /** Whether a session was deleted. */
  has(sessionId: string): boolean {
    return this.known.has(sessionId);
  }

  /** Deletes a session; a running one is ended first. */
  async delete(sessionId: string): Promise<void> {
    const { redis, sessions } = this.deps;
    await redis.zadd(DELETED_KEY, Date.now(), sessionId);
    this.known.set(sessionId, true);
    await publishEvent(redis, { type: 'deleted', sessionId });
    await sessions.end(sessionId);
    await this.remove(sessionId);
  }

  /** Receives an event of any session. */
  receive({ type, sessionId }: FacecastEvent): void {
    if (type === 'deleted') this.known.set(sessionId, true);
    if (type === 'ended' && this.known.has(sessionId))
      this.remove(sessionId).catch(this.logFailure);
  }

  /** Reads deletions whose event was lost, and removes what is left of all deleted sessions. */
  async sweep(): Promise<void> {
    const { redis, registry } = this.deps;
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

  /** Removes a session's files; does nothing while it runs, because its segmenter would write them anew. */
  private async remove(sessionId: string): Promise<void> {
    const { registry, sessionOwners, recordings, links, hlsDir } = this.deps;
    if (await registry.get(sessionId)) return;
    await rm(join(hlsDir, sessionId), { recursive: true, force: true, maxRetries: 3 });
    await recordings.remove(sessionId);
    await links.revoke(sessionId);
    await sessionOwners.forget(sessionId);
  }

  private readonly logFailure = (error: unknown) =>
    warnUnlessOutage(this.deps.log, error, 'a deleted session could not be removed yet');
}
