import type { PipelineStats } from '@facecast/shared/protocol/ingest-protocol';
import type { Stack } from './stack.js';

/** The last `stats` of a session, as anybody with its id gets them. */
export async function statsOf(
  stack: Pick<Stack, 'url'>,
  sessionId: string,
): Promise<PipelineStats> {
  const answer = await fetch(`${stack.url}/api/sessions/${sessionId}`);
  return (await answer.json()) as PipelineStats;
}

/**
 * How many frames of a session went out with a search behind them: on a machine that has more to do
 * than it can, not all.
 */
export async function framesSearched(
  stack: Pick<Stack, 'url'>,
  sessionId: string,
): Promise<number> {
  const { framesOut, framesUndetected } = await statsOf(stack, sessionId);
  return framesOut - framesUndetected;
}
