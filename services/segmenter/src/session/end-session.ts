import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { publishEvent } from '@facecast/shared/protocol/events';
import type { FrameStore } from '@facecast/shared/media/frame-store';
import { isFull } from '@facecast/shared/runtime/full-volume';
import { pipelineStatsSchema, type PipelineStats } from '@facecast/shared/protocol/ingest-protocol';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { MarkedLog } from '@facecast/shared/redis/marked-log';
import { sessionErrorSchema, type SessionError } from '@facecast/shared/protocol/messages';
import type { Redis } from '@facecast/shared/redis/redis';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';
import type { z } from 'zod';
import { readIfThere, writeWhole } from '../atomic-files.js';
import { Packager, type PackagerSettings } from '../hls/packager.js';
import type { Recordings } from '../recording/recording-service.js';

/** Name of the file in an ended session's folder that says that it ended, and how. */
export const SUMMARY_NAME = 'session.json';

const summarySchema = pipelineStatsSchema.extend({ error: sessionErrorSchema.optional() });

/** The last stats of a session, and why it ended early, if it did. */
export type SessionSummary = z.infer<typeof summarySchema>;

/** Where the traces of sessions are. */
export interface SessionTraces {
  redis: Redis;
  registry: SessionRegistry;
  markedLog: MarkedLog;
  frames: FrameStore;
  hlsDir: string;
  settings: PackagerSettings;
  recordings: Recordings;
  log: Logger;
}

/** The summary of a session that has ended; undefined of any other. */
export async function readSummary(
  hlsDir: string,
  sessionId: string,
): Promise<SessionSummary | undefined> {
  const text = await readIfThere(join(hlsDir, sessionId, SUMMARY_NAME));
  return text && summarySchema.parse(JSON.parse(text.toString()));
}

/**
 * Ends a session: its playlist, its recording, its summary, then its traces, then the news of it. Whoever is cut off
 * in between may begin again. A session without a frame leaves no folder.
 */
export async function endSession(
  traces: SessionTraces,
  packager: Packager,
  stats: PipelineStats,
  error: SessionError | undefined,
): Promise<void> {
  const folder = join(traces.hlsDir, stats.sessionId);
  const summary: SessionSummary = {
    ...stats,
    state: 'ended',
    framesOut: packager.frames,
    ...(error && { error }),
  };
  await packager.end();
  if (packager.started) {
    summary.recording = await traces.recordings.finish(summary, packager.segments);
    await writeWhole(join(folder, SUMMARY_NAME), JSON.stringify(summary));
  } else {
    await traces.recordings.remove(stats.sessionId);
    await rm(folder, { recursive: true, force: true });
  }
  await forgetSession(traces, summary);
}

/**
 * Ends a session from what its folder holds, and even where nothing can be written there any more: where
 * there is no room, its folder goes.
 */
export async function endFailedSession(
  traces: SessionTraces,
  stats: PipelineStats,
  error: SessionError,
): Promise<void> {
  try {
    const packager = await Packager.open(join(traces.hlsDir, stats.sessionId), traces.settings);
    await endSession(traces, packager, stats, error);
  } catch (failure) {
    traces.log.error({ sessionId: stats.sessionId, err: failure }, 'could not end a playlist');
    // Nobody is to wait for more of a playlist that will not even end; and others need the room.
    if (isFull(failure)) await rm(join(traces.hlsDir, stats.sessionId), { recursive: true });
    await forgetSession(traces, { ...stats, error });
  }
}

/** Removes what an ended session has outside of its folder, and tells that it ended. */
export async function forgetSession(
  { redis, registry, markedLog, frames }: SessionTraces,
  { sessionId, framesOut, error }: SessionSummary,
): Promise<void> {
  await frames.removeSession(sessionId);
  await markedLog.removeSession(sessionId);
  await registry.remove(sessionId);
  await publishEvent(redis, {
    type: 'ended',
    sessionId,
    frames: framesOut,
    ...(error && { error }),
  });
}
