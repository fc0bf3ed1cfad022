/** A picture that is later than this is not live any more, in seconds. */
export const LATE_SECONDS = 3;
/** A server that needs longer is to blame for what is late, in seconds. */
export const SLOW_SERVER_SECONDS = 2;

/**
 * How long ago the picture on the screen was captured, in seconds: from its date in the playlist, from
 * how much later than the capture such dates are, and from the clock (milliseconds, since 1970).
 * Undefined where the date is unknown or in the future: then this computer's clock and the server's
 * disagree, and any figure would be wrong.
 */
export function latencySeconds(
  date: number | undefined,
  dateErrorMs: number,
  now: number,
): number | undefined {
  if (date === undefined) return undefined;
  const seconds = (now - date + dateErrorMs) / 1000;
  return seconds >= 0 ? seconds : undefined;
}
