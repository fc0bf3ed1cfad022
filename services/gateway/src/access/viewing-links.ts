import { randomBytes, scryptSync } from 'node:crypto';
import type { Redis } from '@facecast/shared/redis/redis';
import { viewingLinksKey } from '@facecast/shared/redis/session-keys';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../errors.js';
import {
  newLinkId,
  signToken,
  verifyToken,
  type SignedToken,
  type TokenKind,
} from './signed-token.js';

/** How old a gateway's knowledge of a session's links may be, in milliseconds: revoking takes so long. */
const FRESH_MS = 1_000;
/** And while Redis does not answer, through which alone links are revoked. */
const FRESH_IN_OUTAGE_MS = 10_000;
/** Links of one session at once. */
const MAX_LINKS = 1_000;
/** Sessions whose links a gateway knows. */
const MAX_SESSIONS = 10_000;

/** What whoever makes a link decides. Times are in seconds from now. */
export interface WantedLink {
  /** How long it may be exchanged. */
  expiresIn: number;
  /** After what time whoever came by it must leave. */
  leaveAfter: number;
  /** The one address that it is good from; undefined: any. */
  address: string | undefined;
}

/** A link as its maker is told of it. Times are in milliseconds since the epoch. */
export interface ViewingLink {
  id: string;
  token: string;
  joinUntil: number;
  leaveAt: number;
}

interface Known {
  ids: Set<string>;
  at: number;
}

/**
 * Links to private sessions. A link is signed, and in Redis for as long as it is good: one that is taken out
 * there opens nothing any more, and neither does one that Redis has forgotten.
 */
export class ViewingLinks {
  private readonly key: Buffer;
  private readonly known = new LRUCache<string, Known>({ max: MAX_SESSIONS });
  private readonly reading = new Map<string, Promise<Known>>();

  /**
   * @param secret of which the key for signatures is made: the same for all gateways; undefined: of this
   *   gateway, until it stops
   * @param now milliseconds since the epoch
   */
  constructor(
    private readonly redis: Redis,
    secret: string | undefined,
    private readonly now: () => number = Date.now,
  ) {
    this.key = secret === undefined ? randomBytes(32) : keyOf(secret);
  }

  /** @throws {Refusal} where the session has as many as it may have */
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
      throw new Refusal(409, `A session has at most ${MAX_LINKS} links: revoke some.`);
    this.known.delete(sessionId);
    const scope = { kind: 'link', sessionId, address: address ?? '' } as const;
    const token = signToken(this.key, scope, link);
    const { linkId: id, joinUntil } = link;
    return { id, token, joinUntil: joinUntil * 1000, leaveAt: leaveAt * 1000 };
  }

  /** Takes a link back, or all of a session; resolves to how many there were. */
  async revoke(sessionId: string, linkId?: string): Promise<number> {
    const key = viewingLinksKey(sessionId);
    this.known.delete(sessionId);
    if (linkId !== undefined) return this.redis.zrem(key, linkId);
    const count = await this.redis.zcard(key);
    await this.redis.unlink(key);
    return count;
  }

  /** The pass that a link is exchanged for; undefined where it is not good (any more). */
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

  /** By which link a pass came; undefined where it is not good (any more). */
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
    // As old as the question, not as the answer.
    const at = this.now();
    const known = {
      ids: new Set(await this.redis.zrange(viewingLinksKey(sessionId), '0', '-1')),
      at,
    };
    this.known.set(sessionId, known);
    return known;
  }
}

/** Slow on purpose: who has a link may try secrets against its signature. */
function keyOf(secret: string): Buffer {
  return scryptSync(secret, 'facecast viewing links', 32);
}

/** A sorted set of a session's links by the time at which their viewers must leave. */
const ADD = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[3])
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('EXPIRE', KEYS[1], ARGV[5]) end
return 1`;
