import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import {
  protectionSchema,
  RECORDING_FILES,
  type ProtectionChange,
} from '@facecast/shared/protocol/recording-folder';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { readIfThere } from '../atomic-files.js';
import { readPlaylist, type ByteRange, type ListedSegment } from './recording-playlist.js';

/** A finished recording that is read segment by segment. */
export class RecordingReader {
  private constructor(
    private readonly media: FileHandle,
    readonly segments: readonly ListedSegment[],
    /** When the first frame was captured, in milliseconds since the epoch. */
    readonly capturedAt: number,
    readonly protection: readonly ProtectionChange[],
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Opens the recording in a folder. Rejects if there is none.
   * @param signal aborted when no more is to be read
   */
  static async open(
    folder: string,
    cadence: Cadence,
    signal: AbortSignal,
  ): Promise<RecordingReader> {
    const read = (file: keyof typeof RECORDING_FILES) =>
      readIfThere(join(folder, RECORDING_FILES[file]));
    const [playlist, changes] = await Promise.all([read('playlist'), read('protection')]);
    const { segments, capturedAt } = readPlaylist(playlist?.toString() ?? '', cadence);
    const protection = changes ? protectionSchema.parse(JSON.parse(changes.toString())) : [];
    const media = await open(join(folder, RECORDING_FILES.media));
    return new RecordingReader(media, segments, capturedAt, protection, signal);
  }

  /** How many frames it has. */
  get frames(): number {
    const last = this.segments.at(-1);
    return last ? last.firstFrame + last.frames : 0;
  }

  /** A segment's parts, and its initialization section. */
  async read(segment: ListedSegment): Promise<{ media: Buffer; init: Buffer }> {
    return { media: await this.bytes(segment), init: await this.bytes(segment.init) };
  }

  async close(): Promise<void> {
    await this.media.close();
  }

  private async bytes({ offset, bytes }: ByteRange): Promise<Buffer> {
    this.signal.throwIfAborted();
    const buffer = Buffer.alloc(bytes);
    const { bytesRead } = await this.media.read(buffer, 0, bytes, offset);
    if (bytesRead < bytes) throw new Error('the recording is shorter than its playlist');
    return buffer;
  }
}
