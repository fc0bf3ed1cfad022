import { z } from 'zod';
import { effectSchema, hidesFaces } from './ingest-protocol.js';

/**
 * The files in the folder of a session's recording. The segmenter writes them and the gateway reads them.
 * The summary exists once the session has ended.
 */
export const RECORDING_FILES = {
  /** The whole stream as one MP4; its byte ranges are the playlist's segments. */
  media: 'recording.mp4',
  playlist: 'recording.m3u8',
  faces: 'faces.ndjson',
  about: 'recording.json',
  /** How viewers were protected: `ProtectionChange`s. */
  protection: 'protection.json',
  /** The last `RecordingEdit`. Written by the gateway, then by the segmenter. */
  edit: 'edit.json',
  summary: 'session.json',
} as const;

/** The content of the `about` file: what is still needed when the session has left the registry. */
export const aboutRecordingSchema = z.object({
  /** When the session began, in milliseconds since the epoch. */
  createdAt: z.number(),
  /** Hash of the resume token. Who has the token may delete and edit the recording. */
  resumeTokenHash: z.string(),
  /** Id of the edit that made this recording; absent if it was not edited. */
  editId: z.string().optional(),
});
export type AboutRecording = z.infer<typeof aboutRecordingSchema>;

const frame = z.number().int().nonnegative();

/** How viewers are protected from one frame on, until the next change. */
export const protectionChangeSchema = z.object({
  fromFrame: frame,
  effect: effectSchema,
  /** Whether the publisher has hidden the whole picture. */
  hidden: z.boolean(),
});
export type ProtectionChange = z.infer<typeof protectionChangeSchema>;

/** All changes of a session, in the order of their frames. */
export const protectionSchema = z.array(protectionChangeSchema);

/** Frames `from` (included) to `to` (excluded). */
export interface FrameStretch {
  from: number;
  to: number;
}

/** The stretches of a recording of `frames` frames that may show faces: all those not known to hide them. */
export function clearStretches(
  changes: readonly ProtectionChange[],
  frames: number,
): FrameStretch[] {
  const unknown = { fromFrame: 0, effect: 'none', hidden: false } as const;
  const all: readonly ProtectionChange[] = [unknown, ...changes];
  const stretches: FrameStretch[] = [];
  all.forEach(({ fromFrame: from, effect, hidden }, n) => {
    const to = Math.min(all[n + 1]?.fromFrame ?? frames, frames);
    if (hidden || hidesFaces(effect) || from >= to) return;
    const last = stretches.at(-1);
    if (last?.to === from) last.to = to;
    else stretches.push({ from, to });
  });
  return stretches;
}

/** Longest time that may be cut off, in seconds: no recording is longer than a day. */
const MAX_CUT_SECONDS = 86_400;

/** What may be done to a recording: cut off its beginning, or hide the faces that can be seen in it. */
export const wantedEditSchema = z.union([
  z.strictObject({ cutBefore: z.number().positive().max(MAX_CUT_SECONDS) }),
  z.strictObject({ effect: z.enum(effectSchema.options.filter(hidesFaces)) }),
]);
export type WantedEdit = z.infer<typeof wantedEditSchema>;

/** An edit of a recording. Until it is done, only the recording's owner may fetch the recording. */
export const recordingEditSchema = z.object({
  /** Id of the edit, unique within the recording. */
  id: z.string(),
  wanted: wantedEditSchema,
  state: z.enum(['pending', 'done', 'failed']),
  /** How often the edit was begun. */
  attempts: z.number().int().nonnegative(),
});
export type RecordingEdit = z.infer<typeof recordingEditSchema>;
