import { setTimeout as delay } from 'node:timers/promises';

/**
 * Longest wait for one batch, in milliseconds. Batches are a tenth of a second apart, so a longer wait
 * means that a clock was set back.
 */
const MAX_WAIT_MS = 1_000;

/**
 * Holds back media that is ahead of its capture time: a file that is pushed faster than it plays. Resolves
 * when it may be dispatched, or once `signal` is aborted.
 * @param capturedAt in milliseconds since the epoch
 * @param leadMs how far ahead of its capture time media may be dispatched
 */
export async function waitUntilDue(
  capturedAt: number,
  leadMs: number,
  signal: AbortSignal,
): Promise<void> {
  const early = Math.ceil(capturedAt - leadMs - Date.now());
  const waitMs = Math.min(early, MAX_WAIT_MS);
  if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => {});
}
