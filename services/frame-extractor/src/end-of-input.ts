import type { Fence } from '@facecast/shared/lease/lease';
import { JobQueue } from '@facecast/shared/redis/queues';
import type { Deps } from './deps.js';
import { sessionError, type FailureReason } from './decode-failure.js';
import type { Progress } from './checkpoint/checkpoint-store.js';

/**
 * Tells the segmenter how many batches and frames the session has, and why it ended early, if it did.
 * @throws {LeaseLostError} if another replica owns the session
 */
export async function appendEnd(
  deps: Deps,
  lease: Fence,
  { batches, frames }: Pick<Progress, 'batches' | 'frames'>,
  failure?: FailureReason,
): Promise<void> {
  await deps.renderedLog.appendEnd(lease, {
    kind: 'end',
    batches,
    frames,
    ...(failure && { error: sessionError(failure) }),
  });
  if (failure) deps.metrics.failures.inc({ reason: failure });
}

/** Removes the session's chunks, their queue and its checkpoint. */
export async function removeInput(deps: Deps, sessionId: string): Promise<void> {
  const { redis, chunks, checkpoints } = deps;
  const { keptFrom } = await checkpoints.load(sessionId);
  const queue = new JobQueue<'chunks'>(redis, { kind: 'chunks', sessionId });
  await queue.obliterate();
  await queue.close();
  await chunks.removeFrom(sessionId, keptFrom);
  await checkpoints.remove(sessionId);
}
