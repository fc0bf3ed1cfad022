import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import {
  effectSchema,
  pipelineStatsSchema,
  sessionStateSchema,
  type Visibility,
} from '../protocol/ingest-protocol.js';
import { SESSION_ID_CHARACTERS } from '../protocol/session-visibility.js';

/** A session's fields in Redis, all of them text. */
export const sessionSchema = z.object({
  id: z.string(),
  /** MIME type of the media, as the publisher declared it. */
  mimeType: z.string(),
  effect: effectSchema,
  /** Whether the publisher has hidden the whole picture. */
  hidden: z.stringbool().default(false),
  /** Whether a recording of it is kept. */
  record: z.stringbool().default(false),
  state: sessionStateSchema,
  /** When the session began, in milliseconds since the epoch. */
  createdAt: z.coerce.number(),
  resumeTokenHash: z.string(),
  /** Name of the token that it is published with; absent if everybody may publish. */
  publisher: z.string().optional(),
  /** The effects that the publisher may use; absent: all. */
  allowedEffects: z
    .string()
    .transform((text) => z.array(effectSchema).parse(JSON.parse(text)))
    .optional(),
  /** Number of chunks that are stored: where the publisher goes on after a lost connection. */
  chunks: z.coerce.number().int().nonnegative(),
  /** Number of the publisher's newest connection; 0 is the one that sent `start`. */
  connection: z.coerce.number().int().nonnegative(),
  /** The newest stats of the pipeline, as JSON; absent until the first frame. */
  stats: z
    .string()
    .transform((text) => pipelineStatsSchema.parse(JSON.parse(text)))
    .optional(),
});

/** A running session as the registry knows it. */
export type Session = z.infer<typeof sessionSchema>;

/** What a publisher asks for at `start`. */
export type WantedSession = Pick<Session, 'mimeType' | 'effect'> &
  Partial<Pick<Session, 'record' | 'publisher' | 'allowedEffects'>> & { visibility?: Visibility };

/** The fields that may change while a session runs. */
export type SessionPatch = Partial<Pick<Session, 'effect' | 'hidden' | 'state' | 'stats'>>;

/**
 * Makes a session that is not registered yet, with an id that cannot be guessed. The resume token is
 * returned only here; the session keeps its hash.
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

function privateId(): string {
  const id = unguessable();
  return id.slice(0, -1) + String.fromCharCode(id.charCodeAt(SESSION_ID_CHARACTERS - 1) + 1);
}

/** Whether `token` is the session's resume token. Takes the same time whatever the answer. */
export function isResumeToken(session: Pick<Session, 'resumeTokenHash'>, token: string): boolean {
  return timingSafeEqual(Buffer.from(hash(token)), Buffer.from(session.resumeTokenHash));
}

/** 128 random bits, in characters that are safe in a URL, a key and a file name. */
function unguessable(): string {
  return randomBytes(16).toString('base64url');
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
