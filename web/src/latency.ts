/**
 * How long ago the picture on the screen was captured, in seconds, from its capture time and the
 * clock (milliseconds since 1970). Undefined where the capture time is unknown or in the future:
 * then this computer's clock and the server's disagree, and any figure would be wrong.
 */
export function latencySeconds(capturedAtMs: number, nowMs: number): number | undefined {
  const seconds = (nowMs - capturedAtMs) / 1000;
  return seconds >= 0 ? seconds : undefined;
}
