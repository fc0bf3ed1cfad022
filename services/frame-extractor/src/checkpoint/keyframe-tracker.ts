import { z } from 'zod';
import type { RateState } from '../video/constant-frame-rate.js';
import { containerSchema } from '../demux/container.js';
import type { KeyFrame } from '../demux/scanner.js';

const count = z.number().int().nonnegative();

/** A chunk with which another input stream begins, as a message said. */
const restartSchema = z.object({ chunk: count, container: containerSchema });
export type Restart = z.infer<typeof restartSchema>;

/** A place in a session's input from which another decoder makes the same frames. */
export const resumePointSchema = z.object({
  container: containerSchema,
  /** The input stream's first chunk, where a message said that one begins there. */
  announced: count.optional(),
  /** Its first byte: in this chunk, so many bytes in. */
  chunk: count,
  offset: count,
  /** Where the frame numbers stand there. */
  rate: z.object({ next: count, origin: z.number().optional(), last: z.number().optional() }),
  /** Restarts that are known behind this place. */
  restarts: z.array(restartSchema).optional(),
  /** Not there at the beginning of an input stream. */
  keyFrame: z
    .object({
      /** By the clock of what was decoded, in microseconds; frames before it are not shown. */
      time: z.number(),
      /** Goes between the input stream's header and the bytes from here on, in hexadecimal. */
      prefix: z.string(),
    })
    .optional(),
});
export type ResumePoint = z.infer<typeof resumePointSchema>;

/** Most chunks, and bytes of them, kept for resuming an input stream: a minute as Chrome cuts it. */
const MAX_KEPT_CHUNKS = 600;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** Most key frames that are in the decoder at once; where there are more, every one need not be known. */
const MAX_CANDIDATES = 64;
/** Most restarts that are remembered. */
const MAX_RESTARTS = 64;
/** Containers and decoders may round a timestamp differently. */
const SAME_TIME_US = 500;

/**
 * Knows from where an input stream can be resumed, while it is being decoded: the newest key frame that
 * is listed in the playlist already. So all that is not listed yet can be made again, should it be lost
 * on its way, and what is decoded again is known by its number.
 *
 * What is kept for it is bounded. An input stream with no key frame in so many chunks or bytes cannot be
 * resumed until its next one: `point` is undefined.
 */
export class KeyframeTracker {
  point: ResumePoint | undefined;
  private readonly pieces: { chunk: number; offset: number; start: number; bytes: number }[] = [];
  /** Bytes that were scanned. */
  private position: number;
  private keptBytes = 0;
  /** Key frames that are not decoded yet. */
  private candidates: KeyFrame[] = [];
  /** Key frames that are decoded and not listed yet. */
  private placed: ResumePoint[] = [];
  /** From a container's clock to that of what is decoded: edit lists move it. */
  private shift: number | undefined;

  /** @param headBytes of header and prefix, which stand before the bytes of the point */
  constructor(
    private readonly from: ResumePoint,
    headBytes: number,
  ) {
    this.point = from;
    this.position = headBytes;
  }

  /** The oldest chunk that is still needed. */
  get keptFrom(): number {
    return this.point?.chunk ?? this.pieces[0]?.chunk ?? this.from.chunk;
  }

  /** So many bytes of a chunk, from `offset` on, were fed; these key frames were found in them. */
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

  /** A frame with this timestamp came out of the decoder and was placed so. */
  decoded(time: number, at: RateState): void {
    const [first] = this.candidates;
    // The first that is shown is the first key frame, or a later one: then more is decoded again.
    this.shift ??= first ? time - first.time : 0;
    const ofClock = time - this.shift;
    const [match] = this.candidates.filter((key) => Math.abs(key.time - ofClock) < SAME_TIME_US);
    this.candidates = this.candidates.filter((key) => key.time > ofClock + SAME_TIME_US);
    const place = match && this.locate(match.at);
    if (!place) return;
    const { container, announced } = this.from;
    const keyFrame = { time, prefix: match.prefix.toString('hex') };
    const { restarts } = this.point ?? this.from;
    this.placed.push({ container, announced, ...place, rate: at, restarts, keyFrame });
  }

  /** All frames up to number `frames` (without it) are listed, and their audio is written. */
  listed(frames: number): void {
    const safe = this.placed.filter(({ rate }) => rate.next < frames).at(-1);
    if (!safe) return;
    this.placed = this.placed.filter(({ rate }) => rate.next >= frames);
    const oldest = this.pieces[0];
    // What is older than the pieces was given up.
    if (!oldest || oldest.chunk > safe.chunk) return;
    this.point = safe;
    while (this.pieces.length > 1 && this.pieces[1]!.chunk <= safe.chunk) this.dropPiece();
  }

  /**
   * Another input stream begins behind this one. Where there are too many, this one cannot be resumed.
   */
  followedBy(restart: Restart): void {
    const restarts = [...(this.point?.restarts ?? []), restart];
    const isBounded = restarts.length <= MAX_RESTARTS;
    this.point = this.point && isBounded ? { ...this.point, restarts } : undefined;
    this.placed = isBounded ? this.placed.map((point) => ({ ...point, restarts })) : [];
  }

  /** In which chunk, and where in it, a byte of what was scanned is. */
  locate(at: number): { chunk: number; offset: number } | undefined {
    const piece = this.pieces.findLast(({ start }) => start <= at);
    return piece && { chunk: piece.chunk, offset: piece.offset + at - piece.start };
  }

  private dropPiece(): void {
    this.keptBytes -= this.pieces.shift()?.bytes ?? 0;
  }
}
