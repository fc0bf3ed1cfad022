import { z } from 'zod';

/**
 * What the folder of a session's recording holds, in which the segmenter writes and the gateway reads.
 * `session.json`, the last stats, comes when the session has ended.
 */
export const RECORDING_FILES = {
  /** The whole stream as one MP4, whose byte ranges are the segments of the playlist. */
  media: 'recording.mp4',
  playlist: 'recording.m3u8',
  faces: 'faces.ndjson',
  about: 'recording.json',
  summary: 'session.json',
} as const;

/** What must be known of a session when the registry has forgotten it: `recording.json`. */
export const aboutRecordingSchema = z.object({
  /** When the session began, in milliseconds since the epoch. */
  createdAt: z.number(),
  /** Who knows the token may delete the recording. */
  resumeTokenHash: z.string(),
});
export type AboutRecording = z.infer<typeof aboutRecordingSchema>;
