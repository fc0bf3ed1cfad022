import { appendFile, open, truncate } from 'node:fs/promises';
import type { PatientVolume } from '@facecast/shared/full-volume';
import type { MarkedBatch } from '@facecast/shared/messages';
import { orMissing, readIfThere, writeWhole } from './files.js';

/** Name of the face timeline in a session's folder. */
export const TIMELINE_NAME = 'faces.ndjson';

/** Five hours of a face in each frame. Beyond it the older half goes. */
const MOST_TIMELINE_BYTES = 64 * 1024 * 1024;

/** More than the lines of one batch. */
const TAIL_BYTES = 256 * 1024;

/** The faces of each frame that has any, a line of JSON each, in the order of the frames. */
export class FaceTimeline {
  private constructor(
    private readonly path: string,
    private readonly fps: number,
    private bytes: number,
    private readonly mostBytes: number,
    private readonly volume: Pick<PatientVolume, 'write'>,
  ) {}

  /** Goes on with the file, if there is one, at frame `firstFrame`: what a predecessor wrote from there on goes. */
  static async open(
    path: string,
    options: {
      fps: number;
      firstFrame: number;
      volume: Pick<PatientVolume, 'write'>;
      mostBytes?: number;
    },
  ): Promise<FaceTimeline> {
    const bytes = (await orMissing(() => dropFrames(path, options.firstFrame))) ?? 0;
    return new FaceTimeline(
      path,
      options.fps,
      bytes,
      options.mostBytes ?? MOST_TIMELINE_BYTES,
      options.volume,
    );
  }

  async append({ firstFrame, frames }: Pick<MarkedBatch, 'firstFrame' | 'frames'>): Promise<void> {
    const lines = frames.flatMap(({ faces }, index) => {
      if (faces.length === 0) return [];
      const frame = firstFrame + index;
      return [JSON.stringify({ frame, t: seconds(frame / this.fps), faces }) + '\n'];
    });
    // The first batch makes the file in any case: that nobody is seen is an answer too.
    if (lines.length === 0 && firstFrame > 0) return;
    const text = Buffer.from(lines.join(''));
    await this.volume.write(() => this.appendWhole(text));
    this.bytes += text.length;
    if (this.bytes > this.mostBytes) await this.dropOlderHalf();
  }

  private async appendWhole(text: Buffer): Promise<void> {
    try {
      await appendFile(this.path, text);
    } catch (error) {
      // Some of it may be there.
      await orMissing(() => truncate(this.path, this.bytes));
      throw error;
    }
  }

  private async dropOlderHalf(): Promise<void> {
    const all = (await readIfThere(this.path)) ?? Buffer.alloc(0);
    const kept = all.subarray(all.indexOf(NEWLINE, all.length - this.mostBytes / 2) + 1);
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
async function dropFrames(path: string, firstFrame: number): Promise<number> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - TAIL_BYTES);
    const tail = Buffer.alloc(size - from);
    await file.read(tail, 0, tail.length, from);
    let end = tail.lastIndexOf(NEWLINE) + 1;
    while (end > 0) {
      const start = end < 2 ? 0 : tail.lastIndexOf(NEWLINE, end - 2) + 1;
      if (frameOf(tail.toString('utf8', start, end)) < firstFrame) break;
      end = start;
    }
    await truncate(path, from + end);
    return from + end;
  } finally {
    await file.close();
  }
}

/** A line that cannot be read counts as one that is too new. */
function frameOf(line: string): number {
  try {
    return (JSON.parse(line) as { frame: number }).frame;
  } catch {
    return Infinity;
  }
}
