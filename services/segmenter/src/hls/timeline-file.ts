import { appendFileSync, truncateSync } from 'node:fs';
import { open, truncate } from 'node:fs/promises';
import { isFull, type RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import { orMissing, readIfThere, writeWhole } from '../atomic-files.js';

/** Five hours of a face in each frame. Beyond it the older half goes. */
const MAX_TIMELINE_BYTES = 64 * 1024 * 1024;

/** More than the lines of one batch, and of most segments; where it is not, twice as much is read. */
const TAIL_BYTES = 64 * 1024;

/** The faces of each frame that has any, a line of JSON each, in the order of the frames. */
export class TimelineFile {
  private constructor(
    private readonly path: string,
    private readonly fps: number,
    private bytes: number,
    private readonly maxBytes: number,
    private readonly volume: Pick<RetryOnDiskFull, 'write'>,
  ) {}

  /**
   * Goes on with the file, if there is one, at frame `firstFrame`: what a predecessor wrote from there on
   * goes.
   */
  static async open(
    path: string,
    options: {
      fps: number;
      firstFrame: number;
      volume: Pick<RetryOnDiskFull, 'write'>;
      maxBytes?: number;
    },
  ): Promise<TimelineFile> {
    const bytes = (await orMissing(() => dropFrames(path, options.firstFrame))) ?? 0;
    return new TimelineFile(
      path,
      options.fps,
      bytes,
      options.maxBytes ?? MAX_TIMELINE_BYTES,
      options.volume,
    );
  }

  async append({
    firstFrame,
    frames,
  }: Pick<RenderedBatch, 'firstFrame' | 'frames'>): Promise<void> {
    const lines = frames.flatMap(({ faces }, index) => {
      if (faces.length === 0) return [];
      const frame = firstFrame + index;
      return [JSON.stringify({ frame, t: seconds(frame / this.fps), faces }) + '\n'];
    });
    // The first batch makes the file in any case: that nobody is seen is an answer too.
    if (lines.length === 0 && firstFrame > 0) return;
    const text = Buffer.from(lines.join(''));
    await this.volume.write(async () => this.appendWhole(text));
    this.bytes += text.length;
    if (this.bytes > this.maxBytes) await this.dropOlderHalf();
  }

  private appendWhole(text: Buffer): void {
    try {
      appendFileSync(this.path, text);
    } catch (error) {
      // Some of it may be there.
      if (isFull(error)) truncateSync(this.path, this.bytes);
      throw error;
    }
  }

  private async dropOlderHalf(): Promise<void> {
    const all = (await readIfThere(this.path)) ?? Buffer.alloc(0);
    const kept = all.subarray(all.indexOf(NEWLINE, all.length - this.maxBytes / 2) + 1);
    await writeWhole(this.path, kept);
    this.bytes = kept.length;
  }
}

const NEWLINE = 10;

/** To the tenth of a millisecond. */
function seconds(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** Cuts the lines of frames from `firstFrame` on, and a torn last line, off; the size that is left. */
export async function dropFrames(path: string, firstFrame: number): Promise<number> {
  const { offset } = await readFrom(path, firstFrame);
  await truncate(path, offset);
  return offset;
}

/** The lines of the frames from `from` up to, but without, `to`. */
export async function linesOfFrames(path: string, from: number, to: number): Promise<Buffer> {
  const { lines } = await readFrom(path, from);
  return lines.subarray(0, startOf(lines, to));
}

/** The lines of frames from `firstFrame` on, with a torn last one, and where they begin in the file. */
async function readFrom(path: string, firstFrame: number) {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    for (let bytes = TAIL_BYTES; ; bytes *= 2) {
      const from = Math.max(0, size - bytes);
      const tail = Buffer.alloc(size - from);
      await file.read(tail, 0, tail.length, from);
      // What the tail begins with is a piece of a line, unless it is all there is.
      const whole = from === 0 ? 0 : tail.indexOf(NEWLINE) + 1;
      const start = whole + startOf(tail.subarray(whole), firstFrame);
      if (from > 0 && start === whole) continue;
      return { offset: from + start, lines: tail.subarray(start) };
    }
  } finally {
    await file.close();
  }
}

/** Where the lines of frames from `frame` on begin; a torn last line counts as one of them. */
function startOf(lines: Buffer, frame: number): number {
  for (let at = 0; ;) {
    const end = lines.indexOf(NEWLINE, at);
    if (end < 0 || frameOf(lines.toString('latin1', at, at + FRAME_BYTES)) >= frame) return at;
    at = end + 1;
  }
}

/** Enough of a line for its frame's number. */
const FRAME_BYTES = 30;

/** A line that cannot be read counts as one that is too new. */
function frameOf(line: string): number {
  return Number(/^\{"frame":(\d+)/.exec(line)?.[1] ?? Infinity);
}
