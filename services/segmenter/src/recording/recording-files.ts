import { constants, type FileHandle } from 'node:fs/promises';
import { mkdir, open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { RECORDING_FILES, type AboutRecording } from '@facecast/shared/protocol/recording-folder';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { box, u32, u64 } from '@facecast/shared/media/iso-boxes';
import { orMissing, readIfThere, writeWhole } from '../atomic-files.js';
import { FIRST_MSN, type Segment } from '../hls/media-playlist.js';
import { dropFrames } from '../hls/timeline-file.js';
import { movieBox } from '../mp4/movie-box.js';
import { END, readPlaylist, renderHeader, renderSegment } from './recording-playlist.js';
import { indexSamples } from '../mp4/sample-index.js';

/**
 * The MP4 begins with this `ftyp` and space for one more header. While it grows, that space is two empty
 * boxes, and fragmented MP4 follows. At the end a `moov` with the place of every sample is appended, and
 * the space becomes the header of an `mdat` around the fragments. So any player or editor can seek in the
 * MP4, and no media is moved. ISO/IEC 14496-12, 4.2 and 8.1.
 */
const FILE_TYPE = box('ftyp', Buffer.from('isom'), u32(0x200), Buffer.from('isomiso6avc1mp41'));
const EMPTY_BOX = box('free');
const HEADER = Buffer.concat([FILE_TYPE, EMPTY_BOX, EMPTY_BOX]);
/** Header of an `mdat` box with a 64-bit size, which the size 1 announces. */
const mdatHeader = (bytes: number) => Buffer.concat([u32(1), Buffer.from('mdat'), u64(bytes)]);

/** Timeline lines of a segment without faces, or whose faces are written elsewhere. */
export const NO_FACES = Buffer.alloc(0);

/** A complete segment of the live playlist with the contents of its files. */
export interface RecordedSegment extends Pick<Segment, 'capturedAt' | 'frames'> {
  init: Buffer;
  media: Buffer;
  /** The lines of its frames in the face timeline. */
  faces: Buffer;
}

/**
 * One session's recording: files that only grow, a segment at a time. A segment is in it once the recording's
 * playlist lists it; bytes behind that are overwritten. Every writer writes the same bytes at the same place,
 * so an owner that has lost the session without knowing does no harm.
 */
export class RecordingFiles {
  /** Number of frames in the recording. */
  frames = 0;
  /** Media sequence number, in the live playlist, of the segment to be added next. */
  nextMsn = FIRST_MSN;
  private mediaEnd = 0;
  private playlistBytes = 0;
  private facesBytes = 0;
  private init: Buffer | undefined;
  private protection: Buffer | undefined;

  private constructor(
    readonly folder: string,
    private readonly cadence: Cadence,
  ) {}

  /** Begins a recording, or resumes it. */
  static async begin(
    folder: string,
    cadence: Cadence,
    about: AboutRecording,
  ): Promise<RecordingFiles> {
    await mkdir(folder, { recursive: true });
    await writeWhole(join(folder, RECORDING_FILES.about), JSON.stringify(about));
    return RecordingFiles.resume(folder, cadence);
  }

  /** The recording in a folder; undefined if there is none. */
  static async open(folder: string, cadence: Cadence): Promise<RecordingFiles | undefined> {
    const about = await readIfThere(join(folder, RECORDING_FILES.about));
    return about && RecordingFiles.resume(folder, cadence);
  }

  private static async resume(folder: string, cadence: Cadence): Promise<RecordingFiles> {
    const recording = new RecordingFiles(folder, cadence);
    const text = await readIfThere(recording.path('playlist'));
    if (text) await recording.readBack(text.toString());
    return recording;
  }

  /** Adds the segment of `nextMsn`. If that fails, it can be repeated. */
  async add({ capturedAt, frames, init, media, faces }: RecordedSegment): Promise<void> {
    const isFirst = this.init === undefined;
    const isOther = !this.init?.equals(init);
    // A second `moov` between fragments would confuse players: it is wrapped up.
    const before = isFirst ? [HEADER, init] : isOther ? [box('free', init)] : [];
    const bytes = Buffer.concat([...before, media]);
    await writeAt(this.path('media'), this.mediaEnd, bytes);
    await writeAt(this.path('faces'), this.facesBytes, faces);
    const mediaEnd = this.mediaEnd + bytes.length;
    const offset = mediaEnd - media.length;
    const map = { offset: offset - init.length, bytes: init.length, isFirst };
    const segment = { offset, bytes: media.length, frames };
    const text = Buffer.from(
      (isFirst ? renderHeader(this.cadence, capturedAt) : '') +
        renderSegment(segment, this.cadence, isOther ? map : undefined),
    );
    await writeAt(this.path('playlist'), this.playlistBytes, text);
    this.playlistBytes += text.length;
    this.facesBytes += faces.length;
    this.mediaEnd = mediaEnd;
    this.frames += frames;
    this.nextMsn++;
    this.init = init;
  }

  /**
   * Writes how viewers were protected so far, as JSON; to be called before the segments that it describes
   * are added.
   */
  async keepProtection(changes: Buffer): Promise<void> {
    if (this.protection?.equals(changes)) return;
    await writeWhole(this.path('protection'), changes);
    this.protection = changes;
  }

  /** Makes it a seekable MP4 with one `moov`, and ends its playlist. May be repeated. */
  async finish(): Promise<void> {
    if (!this.init) return;
    await changeFile(this.path('media'), async (file) => {
      const movie = movieBox(await indexSamples(file, HEADER.length, this.mediaEnd));
      await file.write(movie, 0, movie.length, this.mediaEnd);
      await file.truncate(this.mediaEnd + movie.length);
      const header = mdatHeader(this.mediaEnd - FILE_TYPE.length);
      await file.write(header, 0, header.length, FILE_TYPE.length);
    });
    await truncate(this.path('faces'), this.facesBytes);
    await writeAt(this.path('playlist'), this.playlistBytes, Buffer.from(END));
    await truncate(this.path('playlist'), this.playlistBytes + END.length);
  }

  /** Reads back where the recording's playlist ends. */
  private async readBack(text: string): Promise<void> {
    const { segments, textBytes } = readPlaylist(text, this.cadence);
    const last = segments.at(-1);
    if (!last) return;
    const { init } = last;
    this.nextMsn = FIRST_MSN + segments.length;
    this.frames = last.firstFrame + last.frames;
    this.mediaEnd = last.offset + last.bytes;
    this.playlistBytes = textBytes;
    this.facesBytes = (await orMissing(() => dropFrames(this.path('faces'), this.frames))) ?? 0;
    await changeFile(this.path('media'), async (file) => {
      this.init = Buffer.alloc(init.bytes);
      await file.read(this.init, 0, init.bytes, init.offset);
    });
  }

  private path(file: keyof typeof RECORDING_FILES): string {
    return join(this.folder, RECORDING_FILES[file]);
  }
}

async function writeAt(path: string, position: number, content: Buffer): Promise<void> {
  await changeFile(path, async (file) => {
    await file.write(content, 0, content.length, position);
  });
}

async function changeFile(path: string, change: (file: FileHandle) => Promise<void>) {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT);
  try {
    await change(file);
  } finally {
    await file.close();
  }
}
