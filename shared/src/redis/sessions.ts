import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { chunkKey } from './chunks.js';
import {
  effectSchema,
  pipelineStatsSchema,
  sessionStateSchema,
  type Visibility,
} from '../protocol/ingest-protocol.js';
import { namedChunksSchema, type NamedChunk } from '../protocol/messages.js';
import { KEY_PREFIX, type Redis, SESSION_TTL_SECONDS } from './redis.js';

const sessionSchema = z.object({
  id: z.string(),
  /** Of the media, as the publisher declared it. */
  mimeType: z.string(),
  effect: effectSchema,
  /** Whether its publisher has hidden the whole picture. */
  hidden: z.stringbool().default(false),
  /** Whether a recording of it is kept. */
  record: z.stringbool().default(false),
  state: sessionStateSchema,
  /** Milliseconds since the epoch. */
  createdAt: z.coerce.number(),
  resumeTokenHash: z.string(),
  /** Whose token it is published with; not there where everybody may publish. */
  publisher: z.string().optional(),
  /** The effects that its publisher may use; not there: all. */
  allowedEffects: z
    .string()
    .transform((text) => z.array(effectSchema).parse(JSON.parse(text)))
    .optional(),
  /** Chunks of the publisher that are stored: where it goes on after a lost connection. */
  chunks: z.coerce.number().int().nonnegative(),
  /** Which of the publisher's connections it is that counts: 0 is that of `start`. */
  connection: z.coerce.number().int().nonnegative(),
  /** The newest stats of the pipeline, as JSON; not there until the first frame. */
  stats: z
    .string()
    .transform((text) => pipelineStatsSchema.parse(JSON.parse(text)))
    .optional(),
});

/** A running session as the registry knows it. */
export type Session = z.infer<typeof sessionSchema>;

const sessionOwnerSchema = sessionSchema.pick({ resumeTokenHash: true, publisher: true });

/** Who may delete a session, and who may let others see it. */
export type SessionOwner = z.infer<typeof sessionOwnerSchema>;

/** What a publisher wants of a session. */
export type WantedSession = Pick<Session, 'mimeType' | 'effect'> &
  Partial<Pick<Session, 'record' | 'publisher' | 'allowedEffects'>> & { visibility?: Visibility };

/** What may change while a session runs. */
export type SessionPatch = Partial<Pick<Session, 'effect' | 'hidden' | 'state' | 'stats'>>;

/** What a publisher's new connection goes on with. */
const takenOverSchema = z.tuple([
  z.number().int().positive(),
  z.coerce.number().int().nonnegative(),
  z.string().transform((text) => namedChunksSchema.parse(JSON.parse(text))),
  sessionStateSchema,
]);

/** The registry has as many sessions as it may have. */
export class TooManySessionsError extends Error {
  constructor() {
    super('too many sessions');
    this.name = 'TooManySessionsError';
  }
}

/**
 * The running sessions, in Redis: one hash each, and the set of their ids. A session is in it from
 * `start` until its playlist has ended; what outlives it is on the HLS volume alone.
 */
export class SessionRegistry {
  constructor(private readonly redis: Redis) {}

  /**
   * Drafts a session and registers it.
   * @throws {TooManySessionsError} where `maxSessions` are running
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
   * Registers a session: from now on it has a place. Doing it again does no harm.
   * @param replaces a session that is about to end, and so takes no place any more
   * @throws {TooManySessionsError} where `maxSessions` are running
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

  /** How many sessions are running. */
  async count(): Promise<number> {
    return this.redis.scard(SESSIONS_KEY);
  }

  /** The session, or undefined where it is not running. */
  async get(id: string): Promise<Session | undefined> {
    const fields = await this.redis.hgetall(sessionKey(id));
    return 'id' in fields ? sessionSchema.parse(fields) : undefined;
  }

  /** Ids of all running sessions. */
  async ids(): Promise<string[]> {
    return this.redis.smembers(SESSIONS_KEY);
  }

  /** Changes a running session; a session that is over stays so, and false is the answer. */
  async update(id: string, patch: SessionPatch): Promise<boolean> {
    return (await this.redis.eval(UPDATE, 1, sessionKey(id), ...fieldsOf(patch))) === 1;
  }

  /**
   * Gives a session to another connection of its publisher: from now on `storeChunks` refuses those of
   * all before it. Resolves to the connection's number, how many chunks are stored, and the newest of
   * them, which may not be in the queue yet; to undefined where the session is not running.
   */
  async takeOver(id: string) {
    const reply = await this.redis.eval(TAKE_OVER, 1, sessionKey(id));
    if (reply === null) return undefined;
    const [connection, chunks, newest, state] = takenOverSchema.parse(reply);
    return { connection, chunks, newest, state };
  }

  /**
   * Stores a publisher's next chunks, all or none of them, and only for its newest connection. Those
   * before them must be in the queue. Doing it again with the same chunks does no harm.
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

  /** Whether this is still the publisher's newest connection. */
  async whose(id: string, connection: number): Promise<'ours' | 'taken over' | 'over'> {
    const newest = await this.redis.hget(sessionKey(id), 'connection');
    if (newest === null) return 'over';
    return newest === String(connection) ? 'ours' : 'taken over';
  }

  /** Whose session it is, while it runs and for as long afterwards as `rememberOwner` said. */
  async owner(id: string): Promise<SessionOwner | undefined> {
    const text = await this.redis.get(ownerKey(id));
    return text === null ? undefined : sessionOwnerSchema.parse(JSON.parse(text));
  }

  /** Remembers for `seconds` from now whose a session is, whatever becomes of it. */
  async rememberOwner({ id, ...session }: Session, seconds: number): Promise<void> {
    const owner = JSON.stringify(sessionOwnerSchema.parse(session));
    await this.redis.set(ownerKey(id), owner, 'EX', seconds);
  }

  /** Puts off when it is forgotten whose a session is. */
  async keepOwner(id: string, seconds: number): Promise<void> {
    await this.redis.expire(ownerKey(id), seconds);
  }

  /** Forgets whose a session was. */
  async forgetOwner(id: string): Promise<void> {
    await this.redis.unlink(ownerKey(id));
  }

  /** Forgets a session, and what is known of its faces. */
  async remove(id: string): Promise<void> {
    const keys = [sessionKey(id), publisherKey(id), trackerStateKey(id)];
    await this.redis
      .multi()
      .srem(SESSIONS_KEY, id)
      .unlink(...keys)
      .exec();
  }

  /** Says that the publisher is connected, for `seconds` from now. */
  async publisherSeen(id: string, seconds: number): Promise<void> {
    await this.redis.set(publisherKey(id), '1', 'EX', seconds);
  }

  /** Whether the publisher is connected, or may still come back. */
  async publisherExpected(id: string): Promise<boolean> {
    return (await this.redis.exists(publisherKey(id))) === 1;
  }
}

/**
 * Makes a session that is not registered yet, under an id that cannot be guessed. The resume token is
 * told once, here; the session has only its hash.
 */
export function draftSession({ visibility, ...wanted }: WantedSession): {
  session: Session;
  resumeToken: string;
} {
  const resumeToken = unguessable();
  const session: Session = {
    id: visibility === 'private' ? privateId() : unguessable(),
    hidden: false,
    record: false,
    ...wanted,
    state: 'starting',
    createdAt: Date.now(),
    resumeTokenHash: hash(resumeToken),
    chunks: 0,
    connection: 0,
  };
  return { session, resumeToken };
}

/**
 * Whether a session can be seen with a signed link only. Its id says so, in bits that 22 characters have
 * beyond the 128 of an id: no gateway has to ask anybody, and none can come to another answer when what it
 * would ask is gone. In any case of letters, for file systems to which that is the same.
 */
export function isPrivate(sessionId: string): boolean {
  return (
    sessionId.length === ID_CHARACTERS && PRIVATE_ENDS.includes(sessionId.slice(-1).toLowerCase())
  );
}

const ID_CHARACTERS = 22;
/** How the ids of private sessions end; those of others end in A, Q, g or w. */
const PRIVATE_ENDS = ['b', 'r', 'h', 'x'];

function privateId(): string {
  const id = unguessable();
  return id.slice(0, -1) + String.fromCharCode(id.charCodeAt(ID_CHARACTERS - 1) + 1);
}

/** Whether `token` is the session's resume token; takes the same time whatever the answer. */
export function isResumeToken(session: Pick<Session, 'resumeTokenHash'>, token: string): boolean {
  return timingSafeEqual(Buffer.from(hash(token)), Buffer.from(session.resumeTokenHash));
}

const SESSIONS_KEY = `${KEY_PREFIX}:sessions`;
/** The hash of a running session, which is there until it is over. */
export const sessionKey = (id: string) => `${KEY_PREFIX}:session:${id}`;
/** What is known of a session's faces, with a small picture of it: only while `sessionKey` is there. */
export const trackerStateKey = (id: string) => `${KEY_PREFIX}:faces:${id}`;
/** Not one of the keys that are removed with the session. */
const ownerKey = (id: string) => `${KEY_PREFIX}:session-owner:${id}`;
const publisherKey = (id: string) => `${KEY_PREFIX}:publisher:${id}`;

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

/** Whether chunks are a session's: not where another connection has it, or where it is over. */
type Stored = 'stored' | 'taken over' | 'over';

function asStored(reply: unknown): Stored {
  return reply === 1 ? 'stored' : reply === 0 ? 'taken over' : 'over';
}

/** 128 bits, in characters that are safe in a URL, a key and a file name. */
function unguessable(): string {
  return randomBytes(16).toString('base64url');
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function fieldsOf(patch: Partial<Session>): string[] {
  return Object.entries(patch).flatMap(([field, value]) =>
    value === undefined
      ? []
      : [field, typeof value === 'object' ? JSON.stringify(value) : String(value)],
  );
}
