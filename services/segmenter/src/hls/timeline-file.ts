import { appendFileSync, truncateSync } from 'node:fs';
import { open, truncate } from 'node:fs/promises';
import { isFull, type RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import { orMissing, readIfThere, writeWhole } from '../atomic-files.js';

/** Largest timeline: five hours with a face in each frame. Beyond it the older half is dropped. */
const MAX_TIMELINE_BYTES = 64 * 1024 * 1024;

/** How much is read from the end to find a frame; doubled until it is found. */
const TAIL_BYTES = 64 * 1024;

/** A session's face timeline: one line of JSON for each frame that has faces, in order. */
export class TimelineFile {
  private constructor(
    private readonly path: string,
    private readonly fps: number,
    private bytes: number,
    private readonly maxBytes: number,
    private readonly volume: Pick<RetryOnDiskFull, 'write'>,
  ) {}

  /**
   * Opens, or resumes, a timeline at frame `firstFrame`: lines of frames from there on are dropped.
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
      return [lineOf(firstFrame + index, faces, this.fps)];
    });
    // The first batch makes the file even without faces, so that readers find it.
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
      // Part of it may have been written.
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

/** The line of a frame that has faces, with its newline. */
export function lineOf(frame: number, faces: unknown, fps: number): string {
  return JSON.stringify({ frame, t: seconds(frame / fps), faces }) + '\n';
}

/** Rounds to a tenth of a millisecond. */
function seconds(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/**
 * Truncates a timeline before frame `firstFrame`, or before a torn last line; resolves to its size in
 * bytes.
 */
export async function dropFrames(path: string, firstFrame: number): Promise<number> {
  const { offset } = await readFrom(path, firstFrame);
  await truncate(path, offset);
  return offset;
}

/** The lines of frames `from` (included) to `to` (excluded). */
export async function linesOfFrames(path: string, from: number, to: number): Promise<Buffer> {
  const { lines } = await readFrom(path, from);
  return lines.subarray(0, startOf(lines, to));
}

/** The lines of frames from `firstFrame` on, a torn last one included, and their offset in the file. */
async function readFrom(path: string, firstFrame: number) {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    for (let bytes = TAIL_BYTES; ; bytes *= 2) {
      const from = Math.max(0, size - bytes);
      const tail = Buffer.alloc(size - from);
      await file.read(tail, 0, tail.length, from);
      // Unless the tail is the whole file, it begins in the middle of a line.
      const whole = from === 0 ? 0 : tail.indexOf(NEWLINE) + 1;
      const start = whole + startOf(tail.subarray(whole), firstFrame);
      if (from > 0 && start === whole) continue;
      return { offset: from + start, lines: tail.subarray(start) };
    }
  } finally {
    await file.close();
  }
}

/** Offset of the first line of frames from `frame` on; a torn last line counts as one of them. */
function startOf(lines: Buffer, frame: number): number {
  for (let at = 0; ;) {
    const end = lines.indexOf(NEWLINE, at);
    if (end < 0 || frameOf(lines.toString('latin1', at, at + FRAME_BYTES)) >= frame) return at;
    at = end + 1;
  }
}

/** Bytes of a line that hold its frame's number. */
const FRAME_BYTES = 30;

/** Frame number of a line; Infinity if it cannot be read. */
function frameOf(line: string): number {
  return Number(/^\{"frame":(\d+)/.exec(line)?.[1] ?? Infinity);
}
