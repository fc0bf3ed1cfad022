import { randomBytes, scryptSync } from 'node:crypto';
import type { Redis } from '@facecast/shared/redis/redis';
import { viewingLinksKey } from '@facecast/shared/redis/session-keys';
import { LRUCache } from 'lru-cache';
import { HttpError } from '../errors.js';
import {
  newLinkId,
  signToken,
  verifyToken,
  type SignedToken,
  type TokenKind,
} from './signed-token.js';

/** A gateway reads a session's links again after this, in milliseconds. A revoked link works until then. */
const FRESH_MS = 1_000;
/** How long the links read last stay valid while Redis does not answer, in milliseconds. */
const FRESH_IN_OUTAGE_MS = 10_000;
/** Maximum number of links of one session. */
const MAX_LINKS = 1_000;
/** Maximum number of sessions whose links a gateway keeps in memory; the least recently used go first. */
const MAX_KNOWN_SESSIONS = 10_000;

/** Options of a new link. Times are in seconds from now. */
export interface WantedLink {
  /** How long viewers may join by it. */
  expiresIn: number;
  /** After how long its viewers must leave. */
  leaveAfter: number;
  /** The only address that the link is valid from; undefined: any. */
  address: string | undefined;
}

/** A new link, as its maker gets it. Times are in milliseconds since the epoch. */
export interface ViewingLink {
  id: string;
  token: string;
  joinUntil: number;
  leaveAt: number;
}

/** A session's links, as read from Redis. */
interface Known {
  ids: Set<string>;
  /** When they were requested, in milliseconds since the epoch. */
  at: number;
}

/**
 * Links to private sessions. A link is signed, and in Redis as long as it is valid: a link that is not there,
 * revoked or forgotten, opens nothing.
 */
export class ViewingLinks {
  private readonly key: Buffer;
  private readonly known = new LRUCache<string, Known>({ max: MAX_KNOWN_SESSIONS });
  private readonly reading = new Map<string, Promise<Known>>();

  /**
   * @param secret the signing key is derived from it, the same for all gateways; undefined: a key of this
   *   gateway alone, until it stops
   * @param now milliseconds since the epoch
   */
  constructor(
    private readonly redis: Redis,
    secret: string | undefined,
    private readonly now: () => number = Date.now,
  ) {
    this.key = secret === undefined ? randomBytes(32) : keyOf(secret);
  }

  /**
   * Makes a link to a session.
   * @throws {HttpError} if the session has MAX_LINKS
   */
  async make(sessionId: string, wanted: WantedLink): Promise<ViewingLink> {
    const { expiresIn, leaveAfter, address } = wanted;
    const now = Math.floor(this.now() / 1000);
    const leaveAt = now + leaveAfter;
    const link: SignedToken = {
      linkId: newLinkId(),
      joinUntil: Math.min(now + expiresIn, leaveAt),
      leaveAt,
      isBound: address !== undefined,
    };
    const made = await this.redis.eval(
      ADD,
      1,
      viewingLinksKey(sessionId),
      ...[now, MAX_LINKS, link.linkId, leaveAt, leaveAfter + 1],
    );
    if (made !== 1)
      throw new HttpError(409, `A session has at most ${MAX_LINKS} links: revoke some.`);
    this.known.delete(sessionId);
    const scope = { kind: 'link', sessionId, address: address ?? '' } as const;
    const token = signToken(this.key, scope, link);
    const { linkId: id, joinUntil } = link;
    return { id, token, joinUntil: joinUntil * 1000, leaveAt: leaveAt * 1000 };
  }

  /** Revokes one link, or all of a session; resolves to their number. */
  async revoke(sessionId: string, linkId?: string): Promise<number> {
    const key = viewingLinksKey(sessionId);
    this.known.delete(sessionId);
    if (linkId !== undefined) return this.redis.zrem(key, linkId);
    const count = await this.redis.zcard(key);
    await this.redis.unlink(key);
    return count;
  }

  /** Exchanges a link for a pass; undefined if the link is invalid, expired or revoked. */
  async exchange(
    sessionId: string,
    link: string,
    address: string,
  ): Promise<{ pass: string; leaveAt: number } | undefined> {
    const token = await this.goodToken('link', sessionId, link, address);
    const now = Math.floor(this.now() / 1000);
    if (!token || token.joinUntil <= now) return undefined;
    const pass = signToken(
      this.key,
      { kind: 'pass', sessionId, address },
      { ...token, joinUntil: now },
    );
    return { pass, leaveAt: token.leaveAt * 1000 };
  }

  /** Id of the link that a pass comes from; undefined if the pass is invalid, expired or revoked. */
  async linkOf(sessionId: string, pass: string, address: string): Promise<string | undefined> {
    return (await this.goodToken('pass', sessionId, pass, address))?.linkId;
  }

  private async goodToken(kind: TokenKind, sessionId: string, text: string, address: string) {
    const token = verifyToken(this.key, { kind, sessionId, address }, text);
    if (!token || token.leaveAt * 1000 <= this.now()) return undefined;
    const { ids } = await this.linksOf(sessionId);
    return ids.has(token.linkId) ? token : undefined;
  }

  private async linksOf(sessionId: string): Promise<Known> {
    const known = this.known.get(sessionId);
    const age = this.now() - (known?.at ?? -Infinity);
    if (known && age >= 0 && age < FRESH_MS) return known;
    try {
      return await this.readOnce(sessionId);
    } catch (error) {
      if (known && age >= 0 && age < FRESH_IN_OUTAGE_MS) return known;
      throw error;
    }
  }

  private readOnce(sessionId: string): Promise<Known> {
    const reading =
      this.reading.get(sessionId) ??
      this.read(sessionId).finally(() => this.reading.delete(sessionId));
    this.reading.set(sessionId, reading);
    return reading;
  }

  private async read(sessionId: string): Promise<Known> {
    // The age counts from the request: a link revoked since may be in the answer.
    const at = this.now();
    const known = {
      ids: new Set(await this.redis.zrange(viewingLinksKey(sessionId), '0', '-1')),
      at,
    };
    this.known.set(sessionId, known);
    return known;
  }
}

/** Derives the signing key. Slow on purpose: the holder of a link may try secrets against its signature. */
function keyOf(secret: string): Buffer {
  return scryptSync(secret, 'facecast viewing links', 32);
}

/** Adds a link to a session's sorted set, whose scores are the times at which viewers must leave. */
const ADD = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[3])
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('EXPIRE', KEYS[1], ARGV[5]) end
return 1`;
