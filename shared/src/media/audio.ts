/** Sample rate of every session's audio, in Hz. Samples are 16-bit little-endian, left and right in turn. */
export const SAMPLE_RATE = 48_000;
export const CHANNELS = 2;
/** Size of one sample of both channels, in bytes. */
export const SAMPLE_BYTES = 2 * CHANNELS;

/**
 * Number of audio samples before a session's frame `frame`. The audio of frames a to b goes from
 * `samplesBefore(a)` to `samplesBefore(b + 1)`, so rounding errors do not add up.
 */
export function samplesBefore(frame: number, fps: number): number {
  return Math.round((frame * SAMPLE_RATE) / fps);
}
