import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';
import { viewersKey } from '@facecast/shared/redis/session-keys';
import type { Logger } from '@facecast/shared/runtime/logger';
import { addressOf } from '../access/client-address.js';

/** A client that requested a playlist in this time, in milliseconds, is watching. */
const WATCHING_MS = 6_000;
/** A session's viewers are removed this long after the last request, in seconds. */
const FORGOTTEN_SECONDS = 10;
const FLUSH_MS = 1_000;
/**
 * Maximum number of viewers written to Redis at once, over all sessions; beyond that the counts are too
 * low.
 */
const MAX_A_FLUSH = 20_000;

/**
 * Counts the distinct viewers of each session. Written to Redis once a second, so that the counts of
 * several gateways add up.
 */
export class Viewers {
  private seenSince = new Map<string, Set<string>>();
  private seenCount = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly redis: Redis,
    private readonly log: Logger,
    private readonly now: () => number = Date.now,
  ) {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Records a viewer. */
  seen(sessionId: string, viewer: string): void {
    if (this.seenCount >= MAX_A_FLUSH) return;
    const viewers = this.seenSince.get(sessionId) ?? new Set();
    this.seenSince.set(sessionId, viewers);
    if (viewers.has(viewer)) return;
    viewers.add(viewer);
    this.seenCount += 1;
  }

  /** Resolves to the number of viewers of a session, through any gateway. */
  async count(sessionId: string): Promise<number> {
    const now = this.now();
    // A time in the future was written before the clock was set back.
    return this.redis.zcount(viewersKey(sessionId), now - WATCHING_MS, now + WATCHING_MS);
  }

  /** Writes the viewers since the last call to Redis. */
  async flush(): Promise<void> {
    const seen = this.seenSince;
    this.seenSince = new Map();
    this.seenCount = 0;
    if (seen.size === 0) return;
    const now = this.now();
    const pipeline = this.redis.pipeline();
    for (const [sessionId, viewers] of seen) {
      const key = viewersKey(sessionId);
      pipeline.zadd(key, ...[...viewers].flatMap((viewer) => [now, nameless(viewer)]));
      pipeline.zremrangebyscore(key, '-inf', now - WATCHING_MS);
      pipeline.expire(key, FORGOTTEN_SECONDS);
    }
    try {
      await pipeline.exec();
    } catch (error) {
      warnUnlessOutage(this.log, error, 'could not count viewers');
    }
  }

  close(): void {
    clearInterval(this.timer);
  }
}

const MAX_NAME = 200;

/**
 * Identifies a viewer: by the name that our pages give themselves, else by address and program.
 * @param trustProxy number of trusted proxies in front
 */
export function viewerOf(request: IncomingMessage, trustProxy: number): string {
  const { 'x-facecast-viewer': name, 'user-agent': program } = request.headers;
  const viewer = name ?? `${addressOf(request, trustProxy)} ${program}`;
  return String(viewer).slice(0, MAX_NAME);
}

/** Hashes a viewer, so that no address is ever stored. */
function nameless(viewer: string): string {
  return createHash('sha256').update(viewer).digest('base64url').slice(0, 16);
}
