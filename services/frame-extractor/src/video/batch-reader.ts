import { frameBytes } from '@facecast/shared/media/frame-store';

/**
 * A batch of frames as I420 planes, one frame after another.
 * The bytes are overwritten when the next batch is asked for.
 */
export interface RawBatch {
  /** Number of its first frame, a multiple of `framesPerBatch`. */
  firstFrame: number;
  width: number;
  height: number;
  frameCount: number;
  frames: Buffer;
}

/** Placement of a frame: dropped, or shown as `number` after `repeats` repeats of the frame before it. */
export type FramePlacement = { shown: false } | { shown: true; number: number; repeats: number };

/**
 * Reads YUV4MPEG2 as ffmpeg writes it (4:2:0, 8 bit) and assembles its frames straight
 * into batches. `arrange` is called before each frame and says where it goes; `hold` between frames, with each
 * piece of the stream, and says how often the last one is shown again before the next one comes.
 * The stream is read only as batches are asked for.
 */
export class BatchReader {
  /** Whether the stream's header says that its frames are interlaced. */
  isInterlaced = false;
  private batch: BatchBuffer | undefined;

  constructor(
    private readonly framesPerBatch: number,
    private readonly arrange: () => Promise<FramePlacement>,
    private readonly hold: () => number = () => 0,
  ) {}

  /** @throws if the stream is something else */
  async *batches(stream: AsyncIterable<Buffer>): AsyncGenerator<RawBatch> {
    const line = new Line();
    let inFrame = 0;
    let shown = false;
    for await (const bytes of stream) {
      if (inFrame === 0 && line.isEmpty) yield* this.repeat(this.hold());
      for (let at = 0; at < bytes.length;) {
        if (this.batch && inFrame > 0) {
          const end = Math.min(bytes.length, at + inFrame);
          if (shown) this.batch.fill(bytes, at, end);
          inFrame -= end - at;
          at = end;
          if (this.batch.isFull) yield this.batch.take();
          continue;
        }
        at += line.fill(bytes, at);
        if (!line.isWhole) continue;
        const text = line.take();
        if (!this.batch) {
          const { isInterlaced, ...size } = parseHeader(text);
          this.isInterlaced = isInterlaced;
          this.batch = new BatchBuffer(size, this.framesPerBatch);
          continue;
        }
        if (!text.startsWith('FRAME')) throw new Error('not the beginning of a YUV4MPEG2 frame');
        inFrame = this.batch.frameBytes;
        const arrangement = await this.arrange();
        shown = arrangement.shown;
        if (!arrangement.shown) continue;
        this.batch.begin(arrangement.number - arrangement.repeats);
        yield* this.repeat(arrangement.repeats);
      }
    }
  }

  /** Repeats the last frame; yields the batches that this fills. */
  *repeat(times: number): Generator<RawBatch> {
    for (let i = 0; i < times && this.batch; i++) {
      this.batch.repeat();
      if (this.batch.isFull) yield this.batch.take();
    }
  }

  /** Size of all frames in pixels; undefined before the first. */
  get size(): { width: number; height: number } | undefined {
    return this.batch?.size;
  }

  /** Whole frames that fill no batch yet; undefined if there are none. */
  rest(): RawBatch | undefined {
    const rest = this.batch?.take();
    return rest && rest.frameCount > 0 ? rest : undefined;
  }
}

/** A whole batch made of a shorter one by repeating its last frame. */
export function padBatch(batch: RawBatch, framesPerBatch: number): RawBatch {
  const frames = Buffer.alloc((batch.frames.length / batch.frameCount) * framesPerBatch);
  const size = frameBytes(batch.width, batch.height);
  for (let n = 0; n < framesPerBatch; n++) {
    const from = Math.min(n, batch.frameCount - 1) * size;
    batch.frames.copy(frames, n * size, from, from + size);
  }
  return { ...batch, frameCount: framesPerBatch, frames };
}

/** Assembles one text line from pieces. */
class Line {
  private text = '';
  isWhole = false;

  get isEmpty(): boolean {
    return this.text === '';
  }

  /** Takes the bytes of the line, its newline included; returns how many it took. */
  fill(bytes: Buffer, from: number): number {
    const newline = bytes.indexOf(0x0a, from);
    this.isWhole = newline >= 0;
    const to = this.isWhole ? newline : bytes.length;
    if (this.text.length + to - from > MAX_LINE_LENGTH) throw new Error('not a YUV4MPEG2 stream');
    this.text += bytes.toString('latin1', from, to);
    return to - from + (this.isWhole ? 1 : 0);
  }

  take(): string {
    const { text } = this;
    this.text = '';
    this.isWhole = false;
    return text;
  }
}

/** Longest header line in characters; ffmpeg's have about 60. */
const MAX_LINE_LENGTH = 256;

/** BT.601, limited range. */
const BLACK_LUMA = 16;
const BLACK_CHROMA = 128;

/** One batch that is being assembled. The last batch's frames stay in it until they are overwritten. */
class BatchBuffer {
  readonly frameBytes: number;
  private readonly bytes: Buffer;
  private firstFrame: number | undefined;
  private filled = 0;

  constructor(
    readonly size: { width: number; height: number },
    private readonly framesPerBatch: number,
  ) {
    this.frameBytes = frameBytes(size.width, size.height);
    // Black, in case frames before the first one are to be shown.
    this.bytes = Buffer.allocUnsafeSlow(this.frameBytes * framesPerBatch).fill(BLACK_CHROMA);
    for (let n = 0; n < framesPerBatch; n++)
      this.bytes.fill(
        BLACK_LUMA,
        n * this.frameBytes,
        n * this.frameBytes + size.width * size.height,
      );
  }

  /** Sets the next frame's number; the first batch may begin in its middle. */
  begin(number: number): void {
    if (this.firstFrame !== undefined) return;
    const slot = number % this.framesPerBatch;
    this.firstFrame = number - slot;
    this.filled = slot * this.frameBytes;
  }

  fill(bytes: Buffer, from: number, to: number): void {
    this.filled += bytes.copy(this.bytes, this.filled, from, to);
  }

  /** Copies the last frame as the next one. */
  repeat(): void {
    const from = (this.filled === 0 ? this.bytes.length : this.filled) - this.frameBytes;
    this.filled += this.bytes.copy(this.bytes, this.filled, from, from + this.frameBytes);
  }

  get isFull(): boolean {
    return this.filled === this.bytes.length;
  }

  /** The whole frames assembled so far; empties the buffer. */
  take(): RawBatch {
    const frameCount = Math.floor(this.filled / this.frameBytes);
    const firstFrame = this.firstFrame ?? 0;
    this.firstFrame = firstFrame + this.framesPerBatch;
    this.filled = 0;
    return {
      ...this.size,
      firstFrame,
      frameCount,
      frames: this.bytes.subarray(0, frameCount * this.frameBytes),
    };
  }
}

function parseHeader(text: string): { width: number; height: number; isInterlaced: boolean } {
  const [magic, ...parameters] = text.split(' ');
  const of = (tag: string) => parameters.find((parameter) => parameter.startsWith(tag))?.slice(1);
  const [width, height] = [Number(of('W')), Number(of('H'))];
  const isI420 = magic === 'YUV4MPEG2' && of('C')?.startsWith('420') && !of('C')?.includes('p1');
  if (!isI420 || !isEvenSide(width) || !isEvenSide(height))
    throw new Error(`not a YUV4MPEG2 stream of I420 frames: ${text}`);
  return { width, height, isInterlaced: ['t', 'b', 'm'].includes(of('I') ?? '') };
}

function isEvenSide(side: number): boolean {
  return side > 0 && side <= MAX_SIDE_PIXELS && side % 2 === 0;
}

const MAX_SIDE_PIXELS = 4096;
