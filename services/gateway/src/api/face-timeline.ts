import { open, type FileHandle } from 'node:fs/promises';

/** Which frames' faces are wanted; both ends belong to it. */
export interface FrameRange {
  from: number;
  to: number;
}

/** Bytes read at once. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Reads a session's face timeline (one JSON line a frame that has faces, in the order of frames) on
 * from where it last stopped, so that a file that grows can be followed.
 */
export class FaceTimeline {
  private position = 0;
  private unfinishedLine = '';
  private isOver = false;

  private constructor(
    private readonly file: FileHandle,
    private readonly range: FrameRange,
  ) {}

  /** Undefined where the session has no timeline. */
  static async open(path: string, range: FrameRange): Promise<FaceTimeline | undefined> {
    try {
      return new FaceTimeline(await open(path), range);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Whether a frame beyond the range was seen: nothing more will come. */
  get isBeyondRange(): boolean {
    return this.isOver;
  }

  /** The wanted lines that have come since the last time, some at a time, each with its newline. */
  async *read(): AsyncGenerator<string> {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    while (!this.isOver) {
      const { bytesRead } = await this.file.read(block, 0, BLOCK_BYTES, this.position);
      if (bytesRead === 0) return;
      this.position += bytesRead;
      // Only ASCII is in it, so no character can be cut in two.
      const lines = (this.unfinishedLine + block.toString('latin1', 0, bytesRead)).split('\n');
      this.unfinishedLine = lines.pop() ?? '';
      const wanted = lines.filter((line) => this.isWanted(line));
      if (wanted.length > 0) yield wanted.map((line) => `${line}\n`).join('');
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private isWanted(line: string): boolean {
    const frame = Number(/^\{"frame":(\d+)/.exec(line)?.[1] ?? Number.NaN);
    if (frame > this.range.to) this.isOver = true;
    return frame >= this.range.from && frame <= this.range.to;
  }
}
