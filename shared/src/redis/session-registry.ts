import { z } from 'zod';
import { sessionStateSchema } from '../protocol/ingest-protocol.js';
import { namedChunksSchema, type NamedChunk } from '../protocol/messages.js';
import { type Redis, SESSION_TTL_SECONDS } from './redis.js';
import {
  draftSession,
  sessionSchema,
  type Session,
  type SessionPatch,
  type WantedSession,
} from './session.js';
import {
  chunkKey,
  publisherKey,
  SESSIONS_KEY,
  sessionKey,
  trackerStateKey,
} from './session-keys.js';

/** The answer of the script `TAKE_OVER`. */
const takenOverSchema = z.tuple([
  z.number().int().positive(),
  z.coerce.number().int().nonnegative(),
  z.string().transform((text) => namedChunksSchema.parse(JSON.parse(text))),
  sessionStateSchema,
]);

/** The registry has its maximum number of sessions. */
export class TooManySessionsError extends Error {
  constructor() {
    super('too many sessions');
    this.name = 'TooManySessionsError';
  }
}

/**
 * The running sessions in Redis: one hash each, and the set of their ids. A session is in it from its first
 * media until its playlist has ended.
 */
export class SessionRegistry {
  constructor(private readonly redis: Redis) {}

  /**
   * Drafts a session and registers it.
   * @throws {TooManySessionsError} if `maxSessions` are running
   */
  async create(
    wanted: WantedSession,
    maxSessions: number,
  ): Promise<{ session: Session; resumeToken: string }> {
    const drafted = draftSession(wanted);
    await this.register(drafted.session, maxSessions);
    return drafted;
  }

  /**
   * Registers a session: from now on it counts towards `maxSessions`. It may be called again.
   * @param replaces a session that is about to end, and so does not count any more
   * @throws {TooManySessionsError} if `maxSessions` are running
   */
  async register(session: Session, maxSessions: number, replaces = ''): Promise<void> {
    const created = await this.redis.eval(
      CREATE,
      2,
      SESSIONS_KEY,
      sessionKey(session.id),
      maxSessions,
      session.id,
      replaces,
      ...fieldsOf(session),
    );
    if (created !== 1) throw new TooManySessionsError();
  }

  /** Resolves to the number of running sessions. */
  async count(): Promise<number> {
    return this.redis.scard(SESSIONS_KEY);
  }

  /** Resolves to the session; undefined if it is not running. */
  async get(id: string): Promise<Session | undefined> {
    const fields = await this.redis.hgetall(sessionKey(id));
    return 'id' in fields ? sessionSchema.parse(fields) : undefined;
  }

  /** Resolves to the ids of all running sessions. */
  async ids(): Promise<string[]> {
    return this.redis.smembers(SESSIONS_KEY);
  }

  /** Changes a running session. Resolves to false, and changes nothing, if it is over. */
  async update(id: string, patch: SessionPatch): Promise<boolean> {
    return (await this.redis.eval(UPDATE, 1, sessionKey(id), ...fieldsOf(patch))) === 1;
  }

  /**
   * Makes another connection of the publisher the newest: from now on `storeChunks` refuses all earlier
   * ones. Resolves to the connection's number, how many chunks are stored, and the newest chunks, which may
   * not be in the queue yet; to undefined if the session is not running.
   */
  async takeOver(id: string) {
    const reply = await this.redis.eval(TAKE_OVER, 1, sessionKey(id));
    if (reply === null) return undefined;
    const [connection, chunks, newest, state] = takenOverSchema.parse(reply);
    return { connection, chunks, newest, state };
  }

  /**
   * Stores a publisher's next chunks, all or none of them, and only for its newest connection. All earlier
   * chunks must be in the queue. It may be called again with the same chunks.
   */
  async storeChunks(
    id: string,
    connection: number,
    named: NamedChunk[],
    bytes: Buffer[],
  ): Promise<Stored> {
    const last = named.at(-1);
    if (!last) return 'stored';
    const stored = await this.redis.eval(
      STORE_CHUNKS,
      1 + named.length,
      sessionKey(id),
      ...named.map(({ n }) => chunkKey(id, n)),
      connection,
      last.n + 1,
      JSON.stringify(named),
      SESSION_TTL_SECONDS,
      ...bytes,
    );
    return asStored(stored);
  }

  /** Resolves to `ours` if this is still the publisher's newest connection. */
  async whose(id: string, connection: number): Promise<'ours' | 'taken over' | 'over'> {
    const newest = await this.redis.hget(sessionKey(id), 'connection');
    if (newest === null) return 'over';
    return newest === String(connection) ? 'ours' : 'taken over';
  }

  /** Removes a session and its tracker state. */
  async remove(id: string): Promise<void> {
    const keys = [sessionKey(id), publisherKey(id), trackerStateKey(id)];
    await this.redis
      .multi()
      .srem(SESSIONS_KEY, id)
      .unlink(...keys)
      .exec();
  }

  /** Records that the publisher is connected; holds for `seconds` from now. */
  async publisherSeen(id: string, seconds: number): Promise<void> {
    await this.redis.set(publisherKey(id), '1', 'EX', seconds);
  }

  /** Resolves to whether the publisher is connected, or may still come back. */
  async publisherExpected(id: string): Promise<boolean> {
    return (await this.redis.exists(publisherKey(id))) === 1;
  }
}

const CREATE = `
if redis.call('SISMEMBER', KEYS[1], ARGV[2]) == 1 then return 1 end
local others = redis.call('SCARD', KEYS[1]) - redis.call('SISMEMBER', KEYS[1], ARGV[3])
if others >= tonumber(ARGV[1]) then return 0 end
redis.call('SADD', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], unpack(ARGV, 4))
return 1`;

const UPDATE = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1`;

const TAKE_OVER = `
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
local connection = redis.call('HINCRBY', KEYS[1], 'connection', 1)
local session = redis.call('HMGET', KEYS[1], 'chunks', 'newest', 'state')
return {connection, session[1], session[2] or '[]', session[3]}`;

const STORE_CHUNKS = `
local connection = redis.call('HGET', KEYS[1], 'connection')
if not connection then return -1 end
if connection ~= ARGV[1] then return 0 end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 3], 'EX', ARGV[4]) end
redis.call('HSET', KEYS[1], 'chunks', ARGV[2], 'newest', ARGV[3])
return 1`;

/** What became of chunks: not stored if a newer connection has the session, or the session is over. */
type Stored = 'stored' | 'taken over' | 'over';

function asStored(reply: unknown): Stored {
  return reply === 1 ? 'stored' : reply === 0 ? 'taken over' : 'over';
}

function fieldsOf(patch: Partial<Session>): string[] {
  return Object.entries(patch).flatMap(([field, value]) =>
    value === undefined
      ? []
      : [field, typeof value === 'object' ? JSON.stringify(value) : String(value)],
  );
}
