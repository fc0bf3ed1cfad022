import { z } from 'zod';
import type { RateState } from '../video/constant-frame-rate.js';
import { containerSchema } from '../demux/container.js';
import type { KeyFrame } from '../demux/scanner.js';

const count = z.number().int().nonnegative();

/** A chunk with which another input stream begins, because a `restart` message said so. */
const restartSchema = z.object({ chunk: count, container: containerSchema });
export type Restart = z.infer<typeof restartSchema>;

/** A place in a session's input from which another decoder makes the same frames with the same numbers. */
export const resumePointSchema = z.object({
  container: containerSchema,
  /** The input stream's first chunk, if a `restart` message announced it. */
  announced: count.optional(),
  /** Where its first byte is: number of the chunk, and `offset` in bytes within it. */
  chunk: count,
  offset: count,
  /** State of the constant frame rate at this place. */
  rate: z.object({ next: count, origin: z.number().optional(), last: z.number().optional() }),
  /** Known restarts behind this place. */
  restarts: z.array(restartSchema).optional(),
  /** Undefined at the beginning of an input stream. */
  keyFrame: z
    .object({
      /** Timestamp of the decoded key frame, in microseconds; earlier frames are not shown. */
      time: z.number(),
      /** Bytes to insert between the header and the bytes from here on, in hexadecimal. */
      prefix: z.string(),
    })
    .optional(),
});
export type ResumePoint = z.infer<typeof resumePointSchema>;

/** Most chunks kept for resuming: a minute of Chrome's 100 ms chunks. */
const MAX_KEPT_CHUNKS = 600;
/** Maximum bytes of chunks kept for resuming. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** Maximum number of key frames tracked while they are in the decoder; further ones are skipped. */
const MAX_CANDIDATES = 64;
/** Maximum number of restarts that a resume point has. */
const MAX_RESTARTS = 64;
/** Timestamps that differ by less are the same: containers and decoders round differently. */
const SAME_TIME_US = 500;

interface PlacedKeyFrame {
  point: ResumePoint;
  /** How many frames are decoded from here until a decoder that began with it is clean. */
  framesLeft: number;
  /** Number of the first frame that such a decoder shows clean; undefined if that is not decoded. */
  cleanFrom: number | undefined;
}

/**
 * Tracks where an input stream can be resumed: at its newest key frame that is already listed. Every batch
 * that is not listed yet can then be made again, and a frame that is decoded twice has the same number. If a stream
 * refreshes its picture bit by bit, what is garbled at first must be listed, too.
 *
 * Kept chunks are bounded by `MAX_KEPT_CHUNKS` and `MAX_KEPT_BYTES`. Without a key frame within these,
 * `point` is undefined until the next one: the stream cannot be resumed.
 */
export class KeyframeTracker {
  point: ResumePoint | undefined;
  private readonly pieces: { chunk: number; offset: number; start: number; bytes: number }[] = [];
  /** How many bytes were scanned. */
  private position: number;
  private keptBytes = 0;
  /** Key frames that the scanner found and that are not decoded yet. */
  private candidates: KeyFrame[] = [];
  /** Key frames that are decoded and not listed yet, oldest first. */
  private placed: PlacedKeyFrame[] = [];
  /** Decoded timestamp minus container timestamp, in microseconds: edit lists shift it. */
  private shift: number | undefined;

  /** @param headBytes size of the header and prefix that are fed before the bytes of the point */
  constructor(
    private readonly from: ResumePoint,
    headBytes: number,
  ) {
    this.point = from;
    this.position = headBytes;
  }

  /** Number of the oldest chunk that is still needed. */
  get keptFrom(): number {
    return this.point?.chunk ?? this.pieces[0]?.chunk ?? this.from.chunk;
  }

  /** Records that `bytes` of a chunk, from `offset` on, were fed, and the key frames found in them. */
  fed(chunk: number, offset: number, bytes: number, keyFrames: KeyFrame[]): void {
    this.pieces.push({ chunk, offset, start: this.position, bytes });
    this.position += bytes;
    this.keptBytes += bytes;
    this.candidates.push(...keyFrames.slice(0, MAX_CANDIDATES - this.candidates.length));
    while (this.keptBytes > MAX_KEPT_BYTES || this.pieces.length > MAX_KEPT_CHUNKS) {
      this.point = undefined;
      this.dropPiece();
    }
  }

  /**
   * Records that a frame with this timestamp (microseconds) was decoded and placed at `at`; returns its
   * timestamp by the container's clock.
   */
  decoded(time: number, at: RateState): number {
    const [first] = this.candidates;
    // If it is a later one, more is decoded again than need be. Where decoding was resumed, the key frame's time is
    // known; it may not come out, if pictures are clean only later.
    this.shift ??= first ? (this.from.keyFrame?.time ?? time) - first.time : 0;
    const ofClock = time - this.shift;
    const [match] = this.candidates.filter((key) => Math.abs(key.time - ofClock) < SAME_TIME_US);
    this.candidates = this.candidates.filter((key) => key.time > ofClock + SAME_TIME_US);
    for (const key of this.placed)
      if (key.cleanFrom === undefined && --key.framesLeft <= 0) key.cleanFrom = at.next;
    const place = match && this.locate(match.at);
    if (!place) return ofClock;
    const { container, announced } = this.from;
    const keyFrame = { time, prefix: match.prefix.toString('hex') };
    const { restarts } = this.point ?? this.from;
    const framesLeft = match.refreshFrames;
    const cleanFrom = framesLeft > 0 ? undefined : at.next;
    const point = { container, announced, ...place, rate: at, restarts, keyFrame };
    this.placed.push({ point, framesLeft, cleanFrom });
    return ofClock;
  }

  /**
   * Moves the resume point, because all frames before number `frames` are listed and their audio is
   * written.
   */
  listed(frames: number): void {
    const isSafe = ({ cleanFrom = Infinity }: PlacedKeyFrame) => cleanFrom < frames;
    const safest = this.placed.findLastIndex(isSafe);
    const safe = this.placed[safest]?.point;
    if (!safe) return;
    this.placed = this.placed.slice(safest + 1);
    const oldest = this.pieces[0];
    // Chunks older than the kept pieces are gone.
    if (!oldest || oldest.chunk > safe.chunk) return;
    this.point = safe;
    while (this.pieces.length > 1 && this.pieces[1]!.chunk <= safe.chunk) this.dropPiece();
  }

  /**
   * Records that another input stream begins behind this one; beyond `MAX_RESTARTS` there is no resume
   * point.
   */
  followedBy(restart: Restart): void {
    const restarts = [...(this.point?.restarts ?? []), restart];
    const isBounded = restarts.length <= MAX_RESTARTS;
    this.point = this.point && isBounded ? { ...this.point, restarts } : undefined;
    this.placed = isBounded
      ? this.placed.map((key) => ({ ...key, point: { ...key.point, restarts } }))
      : [];
  }

  /** The chunk, and the offset in it, of scanned byte number `at`. */
  locate(at: number): { chunk: number; offset: number } | undefined {
    const piece = this.pieces.findLast(({ start }) => start <= at);
    return piece && { chunk: piece.chunk, offset: piece.offset + at - piece.start };
  }

  private dropPiece(): void {
    this.keptBytes -= this.pieces.shift()?.bytes ?? 0;
  }
}
