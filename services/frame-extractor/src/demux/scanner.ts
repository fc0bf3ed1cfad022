/** A key frame: a place at which another decoder can begin. */
export interface KeyFrame {
  /** Its position in bytes from where scanning began. */
  at: number;
  /** Its presentation time by the container's clock, in microseconds. */
  time: number;
  /** Bytes to insert between the header and the bytes from `at` on. */
  prefix: Buffer;
}

/** What was found in the bytes of one `push`. */
export interface Scanned {
  /** How many frames of the video track began. */
  frames: number;
  /** How many packets of the audio track began. */
  audioPackets: number;
  keyFrames: KeyFrame[];
  /** Position at which another input stream begins; nothing is scanned from there on. */
  next?: number;
  /** Set if what follows can have no video, for which ffmpeg would search for seconds. */
  isBroken?: true;
}

/**
 * Follows the structure of one input stream as its bytes pass, in pieces of any size; keeps only the header.
 * Bytes that make no sense are no error: it finds nothing more.
 */
export interface Scanner {
  /** All that a decoder needs before the first frame; undefined until it was scanned. */
  readonly header: Buffer | undefined;
  /** Whether the structure was lost, so that nothing more will be found. */
  readonly isLost: boolean;
  push(bytes: Buffer): Scanned;
}

/** Longest header that is kept; longer ones have cover pictures in them. */
export const MAX_HEADER_BYTES = 256 * 1024;
