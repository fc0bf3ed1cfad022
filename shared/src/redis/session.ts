import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import {
  effectSchema,
  pipelineStatsSchema,
  sessionStateSchema,
  type Visibility,
} from '../protocol/ingest-protocol.js';

/** A session's fields in Redis, all of them text. */
export const sessionSchema = z.object({
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

/** What a publisher wants of a session. */
export type WantedSession = Pick<Session, 'mimeType' | 'effect'> &
  Partial<Pick<Session, 'record' | 'publisher' | 'allowedEffects'>> & { visibility?: Visibility };

/** What may change while a session runs. */
export type SessionPatch = Partial<Pick<Session, 'effect' | 'hidden' | 'state' | 'stats'>>;

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

/** 128 bits, in characters that are safe in a URL, a key and a file name. */
function unguessable(): string {
  return randomBytes(16).toString('base64url');
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
