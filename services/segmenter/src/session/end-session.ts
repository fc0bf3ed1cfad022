import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  HLS_FILES,
  sessionSummarySchema,
  type SessionSummary,
} from '@facecast/shared/protocol/hls-folder';
import { publishEvent } from '@facecast/shared/protocol/events';
import type { FrameStore } from '@facecast/shared/media/frame-store';
import { isFull } from '@facecast/shared/runtime/retry-on-disk-full';
import type { PipelineStats } from '@facecast/shared/protocol/ingest-protocol';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import type { SessionError } from '@facecast/shared/protocol/messages';
import type { Redis } from '@facecast/shared/redis/redis';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { readIfThere, writeWhole } from '../atomic-files.js';
import { Packager, type PackagerSettings } from '../hls/packager.js';
import type { RecordingService } from '../recording/recording-service.js';

/** What ending a session needs. */
export interface EndSessionDeps {
  redis: Redis;
  registry: SessionRegistry;
  renderedLog: RenderedBatchLog;
  frameStore: FrameStore;
  hlsDir: string;
  settings: PackagerSettings;
  recordings: RecordingService;
  log: Logger;
}

/** The summary of a session; undefined if it has not ended. */
export async function readSummary(
  hlsDir: string,
  sessionId: string,
): Promise<SessionSummary | undefined> {
  const text = await readIfThere(join(hlsDir, sessionId, HLS_FILES.summary));
  return text && sessionSummarySchema.parse(JSON.parse(text.toString()));
}

/**
 * Ends a session: its playlist, its recording, its summary, then removes its keys and frames, then
 * publishes `ended`. May be repeated if it was cut off in between. A session without a frame leaves no
 * folder.
 */
export async function endSession(
  deps: EndSessionDeps,
  packager: Packager,
  stats: PipelineStats,
  error: SessionError | undefined,
): Promise<void> {
  const folder = join(deps.hlsDir, stats.sessionId);
  const summary: SessionSummary = {
    ...stats,
    state: 'ended',
    framesOut: packager.frames,
    ...(error && { error }),
  };
  await packager.end();
  if (packager.started) {
    summary.recording = await deps.recordings.finish(summary, packager.segments);
    await writeWhole(join(folder, HLS_FILES.summary), JSON.stringify(summary));
  } else {
    await deps.recordings.remove(stats.sessionId);
    await rm(folder, { recursive: true, force: true });
  }
  await removeTraces(deps, summary);
}

/**
 * Ends a session from what its folder holds. If nothing can be written there any more, its folder is
 * removed.
 */
export async function endFailedSession(
  deps: EndSessionDeps,
  stats: PipelineStats,
  error: SessionError,
): Promise<void> {
  try {
    const packager = await Packager.open(join(deps.hlsDir, stats.sessionId), deps.settings);
    await endSession(deps, packager, stats, error);
  } catch (failure) {
    deps.log.error({ sessionId: stats.sessionId, err: failure }, 'could not end a playlist');
    // Players must not wait for a playlist that cannot even end, and others need the space.
    if (isFull(failure)) await rm(join(deps.hlsDir, stats.sessionId), { recursive: true });
    await removeTraces(deps, { ...stats, error });
  }
}

/** Removes what an ended session has outside of its folder, and publishes `ended`. */
export async function removeTraces(
  { redis, registry, renderedLog, frameStore }: EndSessionDeps,
  { sessionId, framesOut, error }: SessionSummary,
): Promise<void> {
  await frameStore.removeSession(sessionId);
  await renderedLog.removeSession(sessionId);
  await registry.remove(sessionId);
  await publishEvent(redis, {
    type: 'ended',
    sessionId,
    frames: framesOut,
    ...(error && { error }),
  });
}
