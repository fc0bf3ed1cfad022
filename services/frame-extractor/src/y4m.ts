import { frameBytes } from '@facecast/shared/frame-store';

/**
 * Frames of one size as plain I420 planes one after another.
 * The bytes are overwritten when the next batch is asked for.
 */
export interface RawBatch {
  width: number;
  height: number;
  frameCount: number;
  frames: Buffer;
}

/**
 * Reads YUV4MPEG2 as ffmpeg writes it (4:2:0, 8 bit, progressive) and assembles its frames straight
 * into batches; the last one may have fewer frames. A frame that is cut short by the end is dropped.
 * The stream is not read on before the next batch is asked for.
 *
 * @throws where the stream is something else
 */
export async function* readBatches(
  stream: AsyncIterable<Buffer>,
  framesPerBatch: number,
): AsyncGenerator<RawBatch> {
  const line = new Line();
  let batch: BatchBuffer | undefined;
  let insideFrame = false;
  for await (const bytes of stream) {
    for (let at = 0; at < bytes.length;) {
      if (batch && insideFrame) {
        at += batch.fill(bytes, at);
        insideFrame = !batch.atFrameEnd;
        if (batch.isFull) yield batch.take();
        continue;
      }
      at += line.fill(bytes, at);
      if (!line.isWhole) continue;
      const text = line.take();
      if (!batch) batch = new BatchBuffer(parseHeader(text), framesPerBatch);
      else if (text.startsWith('FRAME')) insideFrame = true;
      else throw new Error('not the beginning of a YUV4MPEG2 frame');
    }
  }
  const rest = batch?.take();
  if (rest && rest.frameCount > 0) yield rest;
}

/** A text line that comes in pieces. */
class Line {
  private text = '';
  isWhole = false;

  /** Takes what belongs to the line, its end included; answers how many bytes that was. */
  fill(bytes: Buffer, from: number): number {
    const newline = bytes.indexOf(0x0a, from);
    this.isWhole = newline >= 0;
    const to = this.isWhole ? newline : bytes.length;
    if (this.text.length + to - from > LONGEST_LINE) throw new Error('not a YUV4MPEG2 stream');
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

/** ffmpeg's headers are about 60 bytes long. */
const LONGEST_LINE = 256;

class BatchBuffer {
  private readonly bytes: Buffer;
  private readonly frameBytes: number;
  private filled = 0;

  constructor(
    private readonly size: { width: number; height: number },
    framesPerBatch: number,
  ) {
    this.frameBytes = frameBytes(size.width, size.height);
    this.bytes = Buffer.allocUnsafeSlow(this.frameBytes * framesPerBatch);
  }

  /** Takes what belongs to the present frame; answers how many bytes that was. */
  fill(bytes: Buffer, from: number): number {
    const wanted = this.frameBytes - (this.filled % this.frameBytes);
    const taken = bytes.copy(this.bytes, this.filled, from, from + wanted);
    this.filled += taken;
    return taken;
  }

  get atFrameEnd(): boolean {
    return this.filled % this.frameBytes === 0;
  }

  get isFull(): boolean {
    return this.filled === this.bytes.length;
  }

  /** The whole frames that are in it; it is empty after that. */
  take(): RawBatch {
    const frameCount = Math.floor(this.filled / this.frameBytes);
    this.filled = 0;
    return {
      ...this.size,
      frameCount,
      frames: this.bytes.subarray(0, frameCount * this.frameBytes),
    };
  }
}

function parseHeader(text: string): { width: number; height: number } {
  const [magic, ...parameters] = text.split(' ');
  const of = (tag: string) => parameters.find((parameter) => parameter.startsWith(tag))?.slice(1);
  const [width, height] = [Number(of('W')), Number(of('H'))];
  const isI420 = magic === 'YUV4MPEG2' && of('C')?.startsWith('420') && !of('C')?.includes('p1');
  if (!isI420 || !isEvenSide(width) || !isEvenSide(height))
    throw new Error(`not a YUV4MPEG2 stream of I420 frames: ${text}`);
  return { width, height };
}

function isEvenSide(side: number): boolean {
  return side > 0 && side <= LONGEST_SIDE && side % 2 === 0;
}

const LONGEST_SIDE = 4096;
