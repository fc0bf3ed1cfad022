import type { z } from 'zod';
import { pipelineStatsSchema } from './ingest-protocol.js';
import { sessionErrorSchema } from './messages.js';

/** The files of a session's folder on the HLS volume that are not media. */
export const HLS_FILES = {
  /** The live playlist, which names the parts and segments. */
  playlist: 'live.m3u8',
  /** The faces of each frame that has any: one line of JSON a frame. */
  timeline: 'faces.ndjson',
  /** How viewers are protected: `ProtectionChange`s. */
  protection: 'protection.json',
  /** A `SessionSummary`; exists once the session has ended. */
  summary: 'session.json',
} as const;

export const sessionSummarySchema = pipelineStatsSchema.extend({
  error: sessionErrorSchema.optional(),
});

/** The last stats of a session that has ended, and why it ended early, if it did. */
export type SessionSummary = z.infer<typeof sessionSummarySchema>;
