import { open, stat, type FileHandle } from 'node:fs/promises';

/** The frames whose faces are wanted; both ends are included. */
export interface FrameRange {
  from: number;
  to: number;
}

/** Number of bytes read at once. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Reads a session's face timeline: one JSON line for each frame that has faces, in the order of frames. The
 * file is made with the first face, grows, and loses its older half when it is too large.
 */
export class FaceTimeline {
  private file: FileHandle | undefined;
  private inode = 0;
  private position = 0;
  private unfinishedLine = '';
  private next: number;

  constructor(
    private readonly path: string,
    private readonly range: FrameRange,
  ) {
    this.next = range.from;
  }

  /** Whether the last frame of the range, or a later one, was read, so that nothing more will come. */
  get isAtEnd(): boolean {
    return this.next > this.range.to;
  }

  /** Yields the wanted lines that are new since the last call, several at a time, with their newlines. */
  async *read(): AsyncGenerator<string> {
    const file = await this.openNewest();
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    while (file && !this.isAtEnd) {
      const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, this.position);
      if (bytesRead === 0) return;
      this.position += bytesRead;
      // The file is ASCII, so no character can be cut in two.
      const lines = (this.unfinishedLine + block.toString('latin1', 0, bytesRead)).split('\n');
      this.unfinishedLine = lines.pop() ?? '';
      const wanted = lines.filter((line) => this.isWanted(line));
      if (wanted.length > 0) yield wanted.map((line) => `${line}\n`).join('');
    }
  }

  async close(): Promise<void> {
    await this.file?.close();
  }

  /** Opens the file at the last position; at its beginning if another file has replaced it. */
  private async openNewest(): Promise<FileHandle | undefined> {
    const found = await statIfThere(this.path);
    if (!found) return this.file;
    if (this.file && found.ino === this.inode && found.size >= this.position) return this.file;
    await this.file?.close();
    this.file = await open(this.path);
    this.inode = found.ino;
    this.position = 0;
    this.unfinishedLine = '';
    return this.file;
  }

  private isWanted(line: string): boolean {
    const frame = Number(/^\{"frame":(\d+)/.exec(line)?.[1] ?? Number.NaN);
    const isWanted = frame >= this.next && frame <= this.range.to;
    if (frame >= this.next) this.next = frame + 1;
    return isWanted;
  }
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
