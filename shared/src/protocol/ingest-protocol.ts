import { z } from 'zod';

/** The public WebSocket protocol of `/ingest`: its text messages. Binary messages are the media. */

/** What is done with the faces that are found, in order of protection: the first protects nobody. */
export const effectSchema = z.enum(['none', 'box', 'blur', 'pixelate', 'black']);
export type Effect = z.infer<typeof effectSchema>;

/** Whether an effect promises that no face is seen. One that is missing here does not compile. */
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

/** Whether the effect promises that no face is seen; whatever is unsure is then hidden (fails closed). */
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

/** Who may see a session: whoever has its address, or who has a signed link to it. */
export const visibilitySchema = z.enum(['unlisted', 'private']);
export type Visibility = z.infer<typeof visibilitySchema>;

const mimeType = z.string().min(1).max(200);

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
    /** Whether the server is to keep a recording, where it leaves that to its publishers. */
    record: z.boolean().optional(),
    visibility: visibilitySchema.optional(),
    /** A session of the same publisher that ends, and is deleted, as soon as this one has media. */
    replaces: ownSessionSchema.optional(),
  }),
  ownSessionSchema.extend({ type: z.literal('resume') }),
  z.object({ type: z.literal('effect'), effect: effectSchema }),
  /** Makes the whole picture unrecognisable, whatever the effect; or, with false, no longer. */
  z.object({ type: z.literal('hide'), hidden: z.boolean() }),
  z.object({ type: z.literal('restart'), mimeType }),
  z.object({ type: z.literal('stop') }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

export const sessionStateSchema = z.enum(['starting', 'live', 'ended']);
export type SessionState = z.infer<typeof sessionStateSchema>;

/**
 * Of a session's recording: there is none; all of the stream so far is in it; or the stream goes on and
 * it does not, because the disk is almost full, too slow or broken.
 */
const recordingStateSchema = z.enum(['off', 'on', 'stopped']);
export type RecordingState = z.infer<typeof recordingStateSchema>;

const stageStats = z.object({ ms: z.number().nonnegative() });

/** How viewers are protected at the end of what is listed. */
const shownSchema = z.object({
  effect: effectSchema,
  /** Whether the publisher has hidden the whole picture. */
  hidden: z.boolean(),
  /** The first frame of which this is true, and its date in the playlist, in ms since the epoch. */
  sinceFrame: z.number().int().nonnegative(),
  since: z.number(),
});
export type Shown = z.infer<typeof shownSchema>;

/** Frames that were listed last, a second of them. */
const recentFramesSchema = z.object({
  frames: z.number().int().nonnegative(),
  /** Of these, those that nobody searched for faces. */
  unsearched: z.number().int().nonnegative(),
  /** Of these, those whose whole picture was made unrecognisable, for whatever reason. */
  hidden: z.number().int().nonnegative(),
});

/** What the pipeline knows of a session without its gateways. Medians are of the last seconds. */
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
   * How much later the playlist's dates are than the capture of its newest frames, as far as the server
   * knows by now: a date that is listed is not changed any more. Below 0 where they are earlier.
   */
  dateErrorMs: z.number().default(0),
  /** How long after its capture the newest frame was listed: no viewer can be less late. */
  lateMs: z.number().nonnegative().default(0),
  recent: recentFramesSchema.default({ frames: 0, unsearched: 0, hidden: 0 }),
  /** Not there before the first frame. */
  shown: shownSchema.optional(),
});
export type PipelineStats = z.infer<typeof pipelineStatsSchema>;

/** Server to client, about once a second, and the answer of `GET /api/sessions/<id>`. */
export type Stats = { type: 'stats'; viewers: number } & PipelineStats;

/** Server to client. */
export type ServerMessage =
  | {
      type: 'started';
      sessionId: string;
      resumeToken: string;
      playlistUrl: string;
      watchUrl: string;
      /** How long the session can be resumed after its connection was lost. */
      resumeSeconds: number;
      /** How long the session stays playable after its end. */
      keptMinutes: number;
      /** Where the session is recorded: its MP4, and how long it is kept after the end. */
      recording?: { url: string; keptHours: number };
    }
  | { type: 'resumed'; chunks: number }
  | { type: 'ack'; chunks: number }
  | { type: 'playlist_ready'; sessionId: string; playlistUrl: string }
  | Stats
  | { type: 'ended'; frames: number }
  | { type: 'error'; code: ErrorCode; message: string };

/** Where a session's playlist is, as a path on the gateway. */
export const playlistUrl = (sessionId: string): string => `/hls/${sessionId}/live.m3u8`;

/** Where a session's page for viewers is, as a path on the gateway. */
export const watchUrl = (sessionId: string): string => `/watch/${sessionId}`;

/** Where a session's recording is downloaded, as a path on the gateway. */
export const recordingUrl = (sessionId: string): string =>
  `/api/sessions/${sessionId}/recording.mp4`;
