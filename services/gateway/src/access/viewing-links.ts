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

/** A gateway reads a session's links again after this, in milliseconds. A revoked link opens until then. */
const FRESH_MS = 1_000;
/** While Redis does not answer, what was read last counts for this long, in milliseconds. */
const FRESH_IN_OUTAGE_MS = 10_000;
/** Most links of one session at once. */
const MAX_LINKS = 1_000;
/** Most sessions whose links a gateway keeps in memory; of more, the longest unused are read again. */
const MAX_KNOWN_SESSIONS = 10_000;

/** What the maker of a link decides. Times are in seconds from now. */
export interface WantedLink {
  /** How long it may be exchanged. */
  expiresIn: number;
  /** How long a viewer who came by it may watch. */
  leaveAfter: number;
  /** The one address that the link is good from; undefined: any. */
  address: string | undefined;
}

/** A link as its maker is told. Times are in milliseconds since the epoch. */
export interface ViewingLink {
  id: string;
  token: string;
  joinUntil: number;
  leaveAt: number;
}

/** A session's links as they were read. */
interface Known {
  ids: Set<string>;
  /** When they were asked for, in milliseconds since the epoch. */
  at: number;
}

/**
 * Links to private sessions. A link is signed, and in Redis for as long as it is good: one that is taken out
 * there opens nothing any more, and neither does one that Redis has forgotten.
 */
export class ViewingLinks {
  private readonly key: Buffer;
  private readonly known = new LRUCache<string, Known>({ max: MAX_KNOWN_SESSIONS });
  private readonly reading = new Map<string, Promise<Known>>();

  /**
   * @param secret makes the key for signatures, the same for all gateways; undefined: a key of this gateway
   *   alone, until it stops
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
   * @throws {Refusal} if the session has MAX_LINKS
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

  /** The pass that a link is exchanged for; undefined if the link is not good, or not any more. */
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

  /** The link by which a pass came; undefined if the pass is not good, or not any more. */
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
    // The age counts from the question: what was revoked since may be in the answer.
    const at = this.now();
    const known = {
      ids: new Set(await this.redis.zrange(viewingLinksKey(sessionId), '0', '-1')),
      at,
    };
    this.known.set(sessionId, known);
    return known;
  }
}

/** Makes the key of a secret. Slow on purpose: who has a link may try secrets against its signature. */
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
