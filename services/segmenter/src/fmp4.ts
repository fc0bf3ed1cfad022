import { BOX_HEADER_BYTES, box, findBox, fullBox, u16, u32, u64 } from './boxes.js';

/**
 * Fragmented MP4 with one H.264 track, as HLS wants it (rfc8216bis section 3.1.2).
 * Section numbers are of ISO/IEC 14496-12 unless they say otherwise.
 *
 * Every picture is as long as any other, and time is counted from the session's first frame: the
 * place of a part on the time line follows from its first frame's number alone, whoever encoded it.
 */

/** The track, as a decoder must know it before the first frame. */
export interface VideoTrack {
  width: number;
  height: number;
  fps: number;
  /** Content of the `avcC` box, ISO/IEC 14496-15 section 5.3.3.1. */
  avcC: Buffer;
}

/** One encoded picture: length-prefixed NAL units, shown in the order of decoding. */
export interface EncodedFrame {
  key: boolean;
  data: Buffer;
}

/** What a part says of itself. */
export interface PartHeader {
  batch: number;
  firstFrame: number;
  frameCount: number;
}

/** Ticks of one picture; the timescale is as many times the frame rate, so that it is whole. */
const FRAME_TICKS = 1000;

const TRACK_ID = 1;

/** The initialization section: `ftyp` and `moov`, with no sample in it. */
export function writeInit(track: VideoTrack): Buffer {
  return Buffer.concat([
    box('ftyp', Buffer.from('iso6'), u32(0), Buffer.from('iso6mp41')),
    box('moov', mvhd(), trak(track), box('mvex', trex())),
  ]);
}

/**
 * One part: `moof` and `mdat` (8.8.4, 8.1.1). The batch's number is its sequence number (8.8.5, which
 * begins with 1), so that a part tells by itself how far the session is.
 */
export function writePart(
  { batch, firstFrame }: Pick<PartHeader, 'batch' | 'firstFrame'>,
  frames: readonly EncodedFrame[],
): Buffer {
  const moofWith = (dataOffset: number) =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(batch + 1)),
      box(
        'traf',
        fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF | DEFAULT_DURATION, u32(TRACK_ID, FRAME_TICKS)),
        fullBox('tfdt', 1, 0, u64(firstFrame * FRAME_TICKS)),
        trun(dataOffset, frames),
      ),
    );
  const moofBytes = moofWith(0).length;
  return Buffer.concat([
    moofWith(moofBytes + BOX_HEADER_BYTES),
    box('mdat', ...frames.map((frame) => frame.data)),
  ]);
}

/** Reads back what `writePart` wrote; undefined where the bytes are no such part. */
export function readPart(bytes: Buffer): PartHeader | undefined {
  try {
    const mfhd = findBox(bytes, 'moof', 'mfhd');
    const tfdt = findBox(bytes, 'moof', 'traf', 'tfdt');
    const trun = findBox(bytes, 'moof', 'traf', 'trun');
    if (!mfhd || !tfdt || !trun) return undefined;
    return {
      batch: mfhd.readUInt32BE(4) - 1,
      firstFrame: Number(tfdt.readBigUInt64BE(4)) / FRAME_TICKS,
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
/** Sample flags, 8.8.3.1: depends on no other; depends on others and is no sync sample. */
const SYNC_SAMPLE = 0x02000000;
const DEPENDENT_SAMPLE = 0x01010000;

/** Track run, 8.8.8. */
function trun(dataOffset: number, frames: readonly EncodedFrame[]): Buffer {
  const samples = frames.flatMap(({ key, data }) => [
    data.length,
    key ? SYNC_SAMPLE : DEPENDENT_SAMPLE,
  ]);
  return fullBox(
    'trun',
    0,
    DATA_OFFSET | SAMPLE_SIZE | SAMPLE_FLAGS,
    u32(frames.length, dataOffset, ...samples),
  );
}

const ZERO = Buffer.alloc(64);
const UNITY_MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** Timescale of the movie header, which times nothing here. */
const MOVIE_TIMESCALE = 1000;
const ENABLED_IN_MOVIE = 0x000003;
/** 'und' in three times five bits, 8.4.2.3. */
const LANGUAGE_UNDETERMINED = 0x55c4;

/** Movie header, 8.2.2. */
function mvhd(): Buffer {
  return fullBox(
    'mvhd',
    0,
    0,
    u32(0, 0, MOVIE_TIMESCALE, 0),
    u32(0x10000),
    u16(0x0100, 0),
    ZERO.subarray(0, 8),
    UNITY_MATRIX,
    ZERO.subarray(0, 24),
    u32(TRACK_ID + 1),
  );
}

/** Track extends defaults, 8.8.3. */
function trex(): Buffer {
  return fullBox('trex', 0, 0, u32(TRACK_ID, 1, FRAME_TICKS, 0, DEPENDENT_SAMPLE));
}

/** Track, 8.3.1. */
function trak(track: VideoTrack): Buffer {
  const tkhd = fullBox(
    'tkhd',
    0,
    ENABLED_IN_MOVIE,
    u32(0, 0, TRACK_ID, 0, 0),
    ZERO.subarray(0, 16),
    UNITY_MATRIX,
    u32(track.width * 0x10000, track.height * 0x10000),
  );
  const mdhd = fullBox(
    'mdhd',
    0,
    0,
    u32(0, 0, track.fps * FRAME_TICKS, 0),
    u16(LANGUAGE_UNDETERMINED, 0),
  );
  const hdlr = fullBox(
    'hdlr',
    0,
    0,
    u32(0),
    Buffer.from('vide'),
    ZERO.subarray(0, 12),
    Buffer.from('video\0'),
  );
  const dinf = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const minf = box('minf', fullBox('vmhd', 0, 1, ZERO.subarray(0, 8)), dinf, stbl(track));
  return box('trak', tkhd, box('mdia', mdhd, hdlr, minf));
}

/** Sample table, 8.5.1: its tables are empty, as every sample is in a fragment. */
function stbl(track: VideoTrack): Buffer {
  return box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), avc1(track)),
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, u32(0)),
  );
}

const DOTS_PER_INCH_72 = 0x480000;
const COLOUR_DEPTH_24 = 0x0018;
/** ISO/IEC 23091-2: BT.601 with 525 lines, as primaries, transfer and matrix alike. */
const BT601 = 6;

/** AVC sample entry, ISO/IEC 14496-15 section 5.4.2.1, with the colours of 12.1.5. */
function avc1({ width, height, avcC }: VideoTrack): Buffer {
  return box(
    'avc1',
    ZERO.subarray(0, 6),
    u16(1),
    ZERO.subarray(0, 16),
    u16(width, height),
    u32(DOTS_PER_INCH_72, DOTS_PER_INCH_72, 0),
    u16(1),
    ZERO.subarray(0, 32),
    u16(COLOUR_DEPTH_24, 0xffff),
    box('avcC', avcC),
    box('colr', Buffer.from('nclx'), u16(BT601, BT601, BT601), Buffer.from([0])),
  );
}
