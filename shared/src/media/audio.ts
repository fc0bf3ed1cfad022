/** Samples a second of every session's audio: 16-bit little-endian, left and right in turn. */
export const SAMPLE_RATE = 48_000;
export const CHANNELS = 2;
/** Size of one sample of all channels, in bytes. */
export const SAMPLE_BYTES = 2 * CHANNELS;

/**
 * How many samples there are before a session's frame of this number. The audio of frames a to b goes from
 * `samplesBefore(a)` to `samplesBefore(b + 1)`, so that rounding never adds up.
 */
export function samplesBefore(frame: number, fps: number): number {
  return Math.round((frame * SAMPLE_RATE) / fps);
}
