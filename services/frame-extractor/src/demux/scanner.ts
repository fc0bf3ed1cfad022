/** A place in an input stream at which another decoder can begin. */
export interface KeyFrame {
  /** Where it begins, in bytes from the beginning of what was scanned. */
  at: number;
  /** When it is shown, by the container's clock, in microseconds. */
  time: number;
  /** What must stand between the input stream's header and the bytes from `at` on. */
  prefix: Buffer;
}

/** What was found in the bytes of one `push`. */
export interface Scanned {
  /** Frames of the video track that began. */
  frames: number;
  /** Packets of the audio track that began. */
  audioPackets: number;
  keyFrames: KeyFrame[];
  /** Where another input stream begins: nothing is scanned from there on. */
  next?: number;
  /** What follows can have no pictures: ffmpeg may look for them for seconds. */
  isBroken?: true;
}

/**
 * Follows the structure of one input stream as its bytes pass, in pieces of any size, and keeps none of
 * them but the header. Where the bytes make no sense it finds nothing more.
 */
export interface Scanner {
  /** All that a decoder needs before the first frame; undefined as long as that is not known. */
  readonly header: Buffer | undefined;
  /** Whether nothing more will be found, because the bytes were not of the container. */
  readonly isLost: boolean;
  push(bytes: Buffer): Scanned;
}

/** A longer header, as with pictures of covers in it, is not kept. */
export const MAX_HEADER_BYTES = 256 * 1024;
