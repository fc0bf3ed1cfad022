/** The audio of every session: 16-bit little-endian samples, left and right in turn. */
export const SAMPLE_RATE = 48_000;
export const CHANNELS = 2;
/** Of one sample of both channels. */
export const SAMPLE_BYTES = 2 * CHANNELS;

/**
 * How many samples there are before a session's frame of this number. What is heard with some frames
 * goes from this of the first to this of the one after the last, so that no rate adds up an error.
 */
export function samplesBefore(frame: number, fps: number): number {
  return Math.round((frame * SAMPLE_RATE) / fps);
}
