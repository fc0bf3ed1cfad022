import {
  BOX_HEADER_BYTES,
  box,
  findBox,
  fullBox,
  u32,
  u64,
} from '@facecast/shared/media/iso-boxes';
import {
  DEPENDENT_SAMPLE,
  PICTURE_TICKS,
  AUDIO_TRACK_ID,
  SYNC_SAMPLE,
  VIDEO_TRACK_ID,
} from './init-segment.js';
import { AAC_FRAME_SAMPLES } from '../encode/audio-encoder.js';
import type { EncodedAudio } from '../encode/audio-track.js';

/**
 * One LL-HLS part as fragmented MP4. Section numbers are of ISO/IEC 14496-12.
 *
 * All pictures have one duration, and all AAC frames too. So a part's decode time follows from the number of
 * its first picture, and of its first AAC frame, whichever encoder made it.
 */

/** One encoded picture: length-prefixed NAL units; pictures are shown in decoding order. */
export interface EncodedFrame {
  key: boolean;
  data: Buffer;
}

/** What can be read back from a part. */
export interface PartHeader {
  batch: number;
  firstFrame: number;
  frameCount: number;
}

/**
 * Writes a part: `moof` and `mdat` (8.8.4, 8.1.1), pictures before audio. The fragment's sequence number
 * (8.8.5) is the batch's number plus 1, so that a successor can read from the part how far the session
 * is.
 */
export function writeFragment(
  { batch, firstFrame }: Pick<PartHeader, 'batch' | 'firstFrame'>,
  pictures: readonly EncodedFrame[],
  audio: EncodedAudio,
): Buffer {
  const media = [...pictures.map(({ data }) => data), ...audio.frames];
  const pictureBytes = pictures.reduce((sum, { data }) => sum + data.length, 0);
  const moofWith = (dataOffset: number) =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(batch + 1)),
      videoTraf(firstFrame, pictures, dataOffset),
      audioTraf(audio, dataOffset + pictureBytes),
    );
  const moofBytes = moofWith(0).length;
  return Buffer.concat([moofWith(moofBytes + BOX_HEADER_BYTES), box('mdat', ...media)]);
}

/** Reads a part back; undefined if `writeFragment` did not write these bytes. */
export function readPartHeader(bytes: Buffer): PartHeader | undefined {
  try {
    const moof = findBox(bytes, 'moof');
    const mfhd = moof && findBox(moof, 'mfhd');
    const tfdt = moof && findBox(moof, 'traf', 'tfdt');
    const trun = moof && findBox(moof, 'traf', 'trun');
    if (!mfhd || !tfdt || !trun) return undefined;
    return {
      batch: mfhd.readUInt32BE(4) - 1,
      firstFrame: Number(tfdt.readBigUInt64BE(4)) / PICTURE_TICKS,
      frameCount: trun.readUInt32BE(4),
    };
  } catch {
    return undefined;
  }
}

/** Track fragment header flags, 8.8.7. */
const DEFAULT_BASE_IS_MOOF = 0x020000;
const DEFAULT_DURATION = 0x000008;
/** Track run flags, 8.8.8. */
const DATA_OFFSET = 0x000001;
const SAMPLE_SIZE = 0x000200;
const SAMPLE_FLAGS = 0x000400;

/** Track fragment of pictures, 8.8.6. */
function videoTraf(first: number, pictures: readonly EncodedFrame[], dataOffset: number): Buffer {
  const samples = pictures.flatMap(({ key, data }) => [
    data.length,
    key ? SYNC_SAMPLE : DEPENDENT_SAMPLE,
  ]);
  const fields = DATA_OFFSET | SAMPLE_SIZE | SAMPLE_FLAGS;
  const trun = fullBox('trun', 0, fields, u32(pictures.length, dataOffset, ...samples));
  return traf(VIDEO_TRACK_ID, PICTURE_TICKS, first, trun);
}

/** Track fragment of audio, 8.8.6. The first of a session may have no frame. */
function audioTraf({ firstFrame, frames }: EncodedAudio, dataOffset: number): Buffer {
  const sizes = frames.map((frame) => frame.length);
  const fields = DATA_OFFSET | SAMPLE_SIZE;
  const trun = fullBox('trun', 0, fields, u32(frames.length, dataOffset, ...sizes));
  const runs = frames.length > 0 ? [trun] : [];
  return traf(AUDIO_TRACK_ID, AAC_FRAME_SAMPLES, firstFrame, ...runs);
}

/** Track fragment, 8.8.6, whose samples are all of `duration` ticks; `first` is the first's number. */
function traf(trackId: number, duration: number, first: number, ...runs: Buffer[]): Buffer {
  return box(
    'traf',
    fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF | DEFAULT_DURATION, u32(trackId, duration)),
    fullBox('tfdt', 1, 0, u64(first * duration)),
    ...runs,
  );
}
