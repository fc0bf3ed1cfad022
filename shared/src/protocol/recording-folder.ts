import { z } from 'zod';

/**
 * The files in the folder of a session's recording, which the segmenter writes and the gateway reads. The
 * summary is there once the session has ended.
 */
export const RECORDING_FILES = {
  /** The whole stream as one MP4, whose byte ranges are the segments of the playlist. */
  media: 'recording.mp4',
  playlist: 'recording.m3u8',
  faces: 'faces.ndjson',
  about: 'recording.json',
  summary: 'session.json',
} as const;

/** The content of the `about` file: what must be known when the session is not in the registry any more. */
export const aboutRecordingSchema = z.object({
  /** When the session began, in milliseconds since the epoch. */
  createdAt: z.number(),
  /** Hash of the resume token, which allows to delete the recording. */
  resumeTokenHash: z.string(),
});
export type AboutRecording = z.infer<typeof aboutRecordingSchema>;
