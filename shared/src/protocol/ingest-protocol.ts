import { z } from 'zod';

/** The public WebSocket protocol of `/ingest`: its text messages. Binary messages are the media. */

/** What is done with the faces that are found, in order of protection. */
export const effectSchema = z.enum(['none', 'box', 'blur', 'pixelate', 'black']);
export type Effect = z.infer<typeof effectSchema>;

/** Whether each effect promises that no face is seen. An effect that is missing here does not compile. */
const HIDES_FACES = {
  none: false,
  box: false,
  blur: true,
  pixelate: true,
  black: true,
} as const satisfies Record<Effect, boolean>;

/** An effect that hides faces. */
export type HidingEffect = {
  [Name in Effect]: (typeof HIDES_FACES)[Name] extends true ? Name : never;
}[Effect];

/**
 * Whether the effect promises that no face is seen. Then everything uncertain is hidden, too (it fails
 * closed).
 */
export function hidesFaces(effect: Effect): effect is HidingEffect {
  return HIDES_FACES[effect];
}

/** Whether `effect` protects less than `other`: the order of `effectSchema`. */
export function isWeaker(effect: Effect, other: Effect): boolean {
  return effectSchema.options.indexOf(effect) < effectSchema.options.indexOf(other);
}

export const errorCodeSchema = z.enum([
  'bad_message',
  'unauthorized',
  'origin_not_allowed',
  'unsupported_media',
  'too_large',
  'too_many_sessions',
  'not_found',
  'overloaded',
  'internal',
]);
export type ErrorCode = z.infer<typeof errorCodeSchema>;

/** Who may see a session: `unlisted`, anybody who has its address; `private`, only who has a signed link. */
export const visibilitySchema = z.enum(['unlisted', 'private']);
export type Visibility = z.infer<typeof visibilitySchema>;

const mimeType = z.string().min(1).max(200);

/** Longest binary message that every server accepts, in bytes: `MAX_CHUNK_BYTES` is never less. */
export const SAFE_MESSAGE_BYTES = 256 * 1024;

/** A session, and the proof that it is the client's own. */
const ownSessionSchema = z.object({
  sessionId: z.string().max(100),
  resumeToken: z.string().max(100),
});

/** Client to server. */
export const clientMessageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    mimeType,
    effect: effectSchema.default('box'),
    token: z.string().max(1000).optional(),
    /** Whether the server is to keep a recording, if it leaves that to its publishers. */
    record: z.boolean().optional(),
    visibility: visibilitySchema.optional(),
    /** Another session of the same publisher, to be ended and deleted as soon as this one has media. */
    replaces: ownSessionSchema.optional(),
  }),
  ownSessionSchema.extend({ type: z.literal('resume') }),
  z.object({ type: z.literal('effect'), effect: effectSchema }),
  /** Makes the whole picture unrecognisable, whatever the effect; with false, not any more. */
  z.object({ type: z.literal('hide'), hidden: z.boolean() }),
  z.object({ type: z.literal('restart'), mimeType }),
  z.object({ type: z.literal('stop') }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

export const sessionStateSchema = z.enum(['starting', 'live', 'ended']);
export type SessionState = z.infer<typeof sessionStateSchema>;

/**
 * State of a session's recording. `off`: there is none. `on`: it has all of the stream so far. `stopped`:
 * the stream goes on without it, because the disk is almost full, too slow or broken.
 */
const recordingStateSchema = z.enum(['off', 'on', 'stopped']);
export type RecordingState = z.infer<typeof recordingStateSchema>;

const stageStats = z.object({ ms: z.number().nonnegative() });

/** How viewers are protected in the newest listed frame. */
const shownSchema = z.object({
  effect: effectSchema,
  /** Whether the publisher has hidden the whole picture. */
  hidden: z.boolean(),
  /** The first frame for which this holds, and its date in the playlist, in ms since the epoch. */
  sinceFrame: z.number().int().nonnegative(),
  since: z.number(),
});
export type Shown = z.infer<typeof shownSchema>;

/** Counts over the frames that were listed last, a second of them. */
const recentFramesSchema = z.object({
  frames: z.number().int().nonnegative(),
  /** How many of them no detector searched for faces. */
  unsearched: z.number().int().nonnegative(),
  /** How many of them were made unrecognisable as a whole, for any reason. */
  hidden: z.number().int().nonnegative(),
});

/** What the pipeline knows of a session without a gateway. Medians are over the last seconds. */
export const pipelineStatsSchema = z.object({
  sessionId: z.string(),
  state: sessionStateSchema,
  /** Pixels of the output picture; 0 until the first frame. */
  width: z.number().int().nonnegative(),
  height: z.number().int().nonnegative(),
  fps: z.number().positive(),
  /** Frames decoded so far. */
  framesIn: z.number().int().nonnegative(),
  /** Frames listed in the playlist so far. */
  framesOut: z.number().int().nonnegative(),
  /** Frames that went out without a search of their own. */
  framesUndetected: z.number().int().nonnegative(),
  /** Faces in the newest frame. */
  faces: z.number().int().nonnegative(),
  /** Median time a batch spent in each stage, its queue included. */
  stages: z.object({ decode: stageStats, detect: stageStats, segment: stageStats }),
  /** Median time from a chunk's arrival at the gateway to its frames being in the playlist. */
  pipelineMs: z.number().nonnegative(),
  recording: recordingStateSchema.default('off'),
  /**
   * By how many ms the playlist's dates are later than the capture of its newest frames; below 0 if
   * earlier. The server's newest estimate, while a listed date is not changed any more.
   */
  dateErrorMs: z.number().default(0),
  /** How long after its capture the newest frame was listed, in ms. No viewer can be less late. */
  lateMs: z.number().nonnegative().default(0),
  recent: recentFramesSchema.default({ frames: 0, unsearched: 0, hidden: 0 }),
  /** Absent before the first frame. */
  shown: shownSchema.optional(),
});
export type PipelineStats = z.infer<typeof pipelineStatsSchema>;

/** Sent from server to client about once a second; also the answer of `GET /api/sessions/<id>`. */
export type Stats = {
  type: 'stats';
  viewers: number;
  /** To the publisher only: whether its bytes are not read at the moment, because the pipeline is behind. */
  heldBack?: boolean;
} & PipelineStats;

/** Server to client. */
export type ServerMessage =
  | {
      type: 'started';
      sessionId: string;
      resumeToken: string;
      playlistUrl: string;
      watchUrl: string;
      /**
       * The effects that may be chosen while the session runs. Another one is refused and ends the
       * connection.
       */
      effects: Effect[];
      /** How long the session can be resumed after its connection was lost, in seconds. */
      resumeSeconds: number;
      /** How long the session stays playable after its end, in minutes. */
      keptMinutes: number;
      /**
       * Present if the session is recorded: the path of its MP4, and for how many hours it is kept after
       * the end.
       */
      recording?: { url: string; keptHours: number };
    }
  | { type: 'resumed'; chunks: number }
  | { type: 'ack'; chunks: number }
  | { type: 'playlist_ready'; sessionId: string; playlistUrl: string }
  | Stats
  | { type: 'ended'; frames: number }
  | { type: 'error'; code: ErrorCode; message: string };

/** Path of a session's playlist on the gateway. */
export const playlistPath = (sessionId: string): string => `/hls/${sessionId}/live.m3u8`;

/** Path of a session's page for viewers on the gateway. */
export const watchPath = (sessionId: string): string => `/watch/${sessionId}`;

/** Path on the gateway at which a session's recording is downloaded. */
export const recordingPath = (sessionId: string): string =>
  `/api/sessions/${sessionId}/recording.mp4`;
