import { JobQueue } from '@facecast/shared/queues';
import type { Deps } from './deps.js';
import { sessionError, type FailureReason } from './failure.js';
import type { Progress } from './progress.js';

/** Tells the segmenter what the session has in all, and why where it ended early; removes what decoding it needed. */
export async function conclude(
  deps: Deps,
  sessionId: string,
  { batches, frames }: Pick<Progress, 'batches' | 'frames'>,
  failure?: FailureReason,
): Promise<void> {
  await deps.markedLog.append(sessionId, {
    kind: 'end',
    batches,
    frames,
    ...(failure && { error: sessionError(failure) }),
  });
  if (failure) deps.metrics.failures.inc({ reason: failure });
  await removeLeftovers(deps, sessionId);
}

/** Removes the session's chunks, their queue and its progress. */
export async function removeLeftovers(deps: Deps, sessionId: string): Promise<void> {
  const { redis, chunks, progress } = deps;
  const { keptFrom } = await progress.load(sessionId);
  const queue = new JobQueue<'chunks'>(redis, { kind: 'chunks', sessionId });
  await queue.obliterate();
  await queue.close();
  await chunks.removeFrom(sessionId, keptFrom);
  await progress.remove(sessionId);
}
