import type { PipelineStats } from '@facecast/shared/protocol/ingest-protocol';
import type { Stack } from './stack.js';

/** The last `stats` of a session, as anybody who has its id may fetch them. */
export async function statsOf(
  stack: Pick<Stack, 'url'>,
  sessionId: string,
): Promise<PipelineStats> {
  const answer = await fetch(`${stack.url}/api/sessions/${sessionId}`);
  return (await answer.json()) as PipelineStats;
}

/**
 * Minimum number of frames with a face, if every frame shows one: nearly all that were searched. A frame
 * that a busy machine did not search may cost the next one its outline, because a face counts only when it
 * was found twice in a short time.
 */
export async function leastFinds(stack: Pick<Stack, 'url'>, sessionId: string): Promise<number> {
  const { framesOut, framesUndetected } = await statsOf(stack, sessionId);
  return 0.95 * (framesOut - framesUndetected) - framesUndetected;
}
