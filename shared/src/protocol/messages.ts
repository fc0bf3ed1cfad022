import { z } from 'zod';
import { effectSchema, errorCodeSchema } from './ingest-protocol.js';

/**
 * The messages between services. Each one crosses a process only through its schema here. Times are
 * milliseconds since the epoch; frames and batches count from 0 within their session.
 */

const time = z.number().nonnegative();
const count = z.number().int().nonnegative();
const sessionId = z.string().min(1);

/** The job that a session has in `decode`, in `segment` and, for its recording, in `edit`. */
export const sessionJobSchema = z.object({ sessionId });

/** Gateway to frame-extractor, in the session's own queue: chunk `n`, or the end of the input. */
const namedChunkSchema = z.object({
  kind: z.literal('chunk'),
  n: count,
  receivedAt: time,
  /** MIME type of the input stream that begins with this chunk; absent if none does. */
  mimeType: z.string().optional(),
});
export type NamedChunk = z.infer<typeof namedChunkSchema>;
export const namedChunksSchema = z.array(namedChunkSchema);
export const chunkJobSchema = z.discriminatedUnion('kind', [
  namedChunkSchema,
  z.object({ kind: z.literal('end') }),
]);
export type ChunkJob = z.infer<typeof chunkJobSchema>;

/** One batch of decoded frames, all of one size, as it travels from stage to stage. */
const batchSchema = z.object({
  sessionId,
  batch: count,
  /** Number of the batch's first frame. */
  firstFrame: count,
  /** Number of frames in this batch; only a session's last batch may have fewer than the others. */
  frameCount: count.min(1),
  /** Size of the output picture in pixels; both numbers are even. */
  width: count.min(2),
  height: count.min(2),
  /** Number of audio samples that go with the frames (`media/audio.ts`); 0 if there is no audio. */
  samples: count,
  /** When the first frame was captured, as far as the server can tell. */
  capturedAt: time,
  /** When the chunk that completed this batch came to the gateway. */
  receivedAt: time,
  /** When the batch was put into the frame store. */
  decodedAt: time,
});

/** Frame-extractor to face-detector: find the faces in a `decoded` batch and apply the effect. */
export const detectJobSchema = batchSchema.extend({ effect: effectSchema });
export type DetectJob = z.infer<typeof detectJobSchema>;

/** A face in pixels of the output picture, the origin at its top left. */
export const faceSchema = z.object({
  /** Stays the same for one face from frame to frame, unless the face is out of sight for long. */
  id: count,
  x: z.number(),
  y: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
  /** The finder's confidence, 0 to 1. */
  score: z.number(),
});
export type Face = z.infer<typeof faceSchema>;

/** The faces of one frame; `searched` is false if no detector looked for faces in it. */
const frameFacesSchema = z.object({
  searched: z.boolean(),
  /** Whether the whole picture was made unrecognisable. */
  hidden: z.boolean().default(false),
  faces: z.array(faceSchema),
});

/** A `marked` batch is in the frame store. `frames` has one element for each of its frames. */
const renderedBatchSchema = batchSchema.extend({
  kind: z.literal('batch'),
  /** The effect that was applied; absent if a service of an older version rendered the batch. */
  effect: effectSchema.optional(),
  markedAt: time,
  frames: z.array(frameFacesSchema),
});
export type RenderedBatch = z.infer<typeof renderedBatchSchema>;

/** Why a session ended early, in the words of the public contract. */
export const sessionErrorSchema = z.object({ code: errorCodeSchema, message: z.string() });
export type SessionError = z.infer<typeof sessionErrorSchema>;

/** The input has ended: the session has exactly this many batches and frames. */
const inputEndSchema = z.object({
  kind: z.literal('end'),
  batches: count,
  frames: count,
  error: sessionErrorSchema.optional(),
});
export type InputEnd = z.infer<typeof inputEndSchema>;

/**
 * The publisher has changed the effect or hidden the picture: the segmenter asks the registry before the
 * next batch.
 */
const wishChangedSchema = z.object({ kind: z.literal('wish changed') });

/**
 * An entry of a session's `RenderedBatchLog`, read by the segmenter. Batches come in any order, and may
 * repeat.
 */
export const renderedEntrySchema = z.discriminatedUnion('kind', [
  renderedBatchSchema,
  inputEndSchema,
  wishChangedSchema,
]);
export type RenderedEntry = z.infer<typeof renderedEntrySchema>;
