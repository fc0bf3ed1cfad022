/** A key frame: a place at which another decoder can begin. */
export interface KeyFrame {
  /** Its position in bytes from where scanning began. */
  at: number;
  /** Its presentation time by the container's clock, in microseconds. */
  time: number;
  /** Bytes to insert between the header and the bytes from `at` on. */
  prefix: Buffer;
  /**
   * How many frames after it, at most, a decoder that begins with it shows clean pictures: more than 0 if the stream
   * refreshes its picture bit by bit instead.
   */
  refreshFrames: number;
}

/**
 * Number of frames for each reference frame, itself included, if frames are reordered: x264's default is 3
 * others.
 */
const FRAMES_A_REFERENCE = 4;

/** Maximum number of frames that are shown while `references` reference frames are decoded. */
export function framesShown(references: number, isReordered: boolean): number {
  return references * (isReordered ? FRAMES_A_REFERENCE : 1);
}

/** When frames are shown by the container's clock, in microseconds. */
export interface ShownTimes {
  /** The earliest and the latest of their presentation times. */
  from: number;
  to: number;
  /** End of the last frame, if the container gives its duration. */
  end: number;
}

/** What was found in the bytes of one `push`. */
export interface Scanned {
  /** How many frames of the video track began. */
  frames: number;
  /** How many packets of the audio track began. */
  audioPackets: number;
  keyFrames: KeyFrame[];
  /** When the frames that began are shown; undefined if none began, or nothing says it. */
  shown?: ShownTimes | undefined;
  /** When the newest of the audio packets that began is heard, in microseconds by the container's clock. */
  heard?: number | undefined;
  /** Position at which another input stream begins; nothing is scanned from there on. */
  next?: number;
  /** Set if the rest can have no video, in which ffmpeg would search for seconds. */
  isBroken?: true;
}

/** Transfer functions of HDR: PQ (SMPTE ST 2084) and HLG (ARIB STD-B67), in ffmpeg's names. */
export type HdrTransfer = 'smpte2084' | 'arib-std-b67';

/** The transfer function of HDR with this number (ISO/IEC 23091-2, section 8.2); undefined for all others. */
export function hdrTransfer(number: number): HdrTransfer | undefined {
  return number === 16 ? 'smpte2084' : number === 18 ? 'arib-std-b67' : undefined;
}

/**
 * Follows the structure of one input stream as its bytes pass, in pieces of any size; keeps only the
 * header. Invalid bytes are no error: it finds nothing more.
 */
export interface Scanner {
  /** The container's header, which a decoder needs before the first frame; undefined until it was scanned. */
  readonly header: Buffer | undefined;
  /** The transfer function that the header says the video has, if it is one of HDR. */
  readonly hdr: HdrTransfer | undefined;
  /** Whether the structure was lost, so that nothing more will be found. */
  readonly isLost: boolean;
  push(bytes: Buffer): Scanned;
}

/** Joins the times of two stretches of frames. */
export function joinTimes(one: ShownTimes | undefined, other: ShownTimes): ShownTimes {
  if (!one) return other;
  return {
    from: Math.min(one.from, other.from),
    to: Math.max(one.to, other.to),
    end: Math.max(one.end, other.end),
  };
}

/** Longest header that is kept; longer ones have cover pictures in them. */
export const MAX_HEADER_BYTES = 256 * 1024;
