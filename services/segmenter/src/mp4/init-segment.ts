import { CHANNELS, SAMPLE_RATE } from '@facecast/shared/media/audio';
import { box, fullBox, u16, u32 } from '@facecast/shared/media/iso-boxes';
import { AAC_FRAME_SAMPLES } from '../encode/audio-encoder.js';

/**
 * The initialization section of fragmented MP4 with one H.264 track and one AAC track, as HLS wants it
 * (rfc8216bis section 3.1.2). Section numbers are of ISO/IEC 14496-12 unless they say otherwise.
 */

/** What a decoder must know of the video before its first picture. */
export interface VideoTrack {
  width: number;
  height: number;
  fps: number;
  /** Content of the `avcC` box, ISO/IEC 14496-15 section 5.3.3.1. */
  avcC: Buffer;
}

/** Ticks of one picture. The timescale is this many times the frame rate, so that it is a whole number. */
export const PICTURE_TICKS = 1000;

export const VIDEO_TRACK_ID = 1;
/** Id of the audio track, whose timescale is the sample rate, so that a tick is a sample. */
export const AUDIO_TRACK_ID = 2;

/** Sample flags, 8.8.3.1: depends on no other; depends on others and is no sync sample. */
export const SYNC_SAMPLE = 0x02000000;
export const DEPENDENT_SAMPLE = 0x01010000;

/** `ftyp` and `moov`, with no sample in it. */
export function writeInitSegment(video: VideoTrack): Buffer {
  const videoDefaults = trex(VIDEO_TRACK_ID, PICTURE_TICKS, DEPENDENT_SAMPLE);
  const audioDefaults = trex(AUDIO_TRACK_ID, AAC_FRAME_SAMPLES, SYNC_SAMPLE);
  return Buffer.concat([
    box('ftyp', Buffer.from('iso6'), u32(0), Buffer.from('iso6mp41')),
    box('moov', mvhd(), videoTrak(video), audioTrak(), box('mvex', videoDefaults, audioDefaults)),
  ]);
}

const ZERO = Buffer.alloc(64);
const UNITY_MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** Timescale of the movie header, which times nothing here. */
export const MOVIE_TIMESCALE = 1000;
/** 1 in a fixed-point number of 8 and 8 bits. */
const FULL_VOLUME = 0x0100;

/** Movie header, 8.2.2. */
function mvhd(): Buffer {
  return fullBox(
    'mvhd',
    0,
    0,
    u32(0, 0, MOVIE_TIMESCALE, 0),
    u32(0x10000),
    u16(FULL_VOLUME, 0),
    ZERO.subarray(0, 8),
    UNITY_MATRIX,
    ZERO.subarray(0, 24),
    u32(AUDIO_TRACK_ID + 1),
  );
}

/** Track extends defaults, 8.8.3. */
function trex(trackId: number, duration: number, sampleFlags: number): Buffer {
  return fullBox('trex', 0, 0, u32(trackId, 1, duration, 0, sampleFlags));
}

function videoTrak(track: VideoTrack): Buffer {
  return trak({
    trackId: VIDEO_TRACK_ID,
    timescale: track.fps * PICTURE_TICKS,
    ...{ width: track.width, height: track.height, volume: 0 },
    ...{ handler: 'vide', name: 'video' },
    mediaHeader: fullBox('vmhd', 0, 1, ZERO.subarray(0, 8)),
    sampleEntry: avc1(track),
  });
}

function audioTrak(): Buffer {
  return trak({
    trackId: AUDIO_TRACK_ID,
    timescale: SAMPLE_RATE,
    ...{ width: 0, height: 0, volume: FULL_VOLUME },
    ...{ handler: 'soun', name: 'sound' },
    mediaHeader: fullBox('smhd', 0, 0, ZERO.subarray(0, 4)),
    sampleEntry: mp4a(),
  });
}

const ENABLED_IN_MOVIE = 0x000003;
/** 'und' in three times five bits, 8.4.2.3. */
const LANGUAGE_UNDETERMINED = 0x55c4;

/** Track, 8.3.1. */
function trak(track: {
  trackId: number;
  timescale: number;
  width: number;
  height: number;
  volume: number;
  handler: string;
  name: string;
  mediaHeader: Buffer;
  sampleEntry: Buffer;
}): Buffer {
  const tkhd = fullBox(
    'tkhd',
    0,
    ENABLED_IN_MOVIE,
    u32(0, 0, track.trackId, 0, 0),
    ZERO.subarray(0, 12),
    u16(track.volume, 0),
    UNITY_MATRIX,
    u32(track.width * 0x10000, track.height * 0x10000),
  );
  const mdhd = fullBox('mdhd', 0, 0, u32(0, 0, track.timescale, 0), u16(LANGUAGE_UNDETERMINED, 0));
  const hdlr = fullBox(
    'hdlr',
    0,
    0,
    u32(0),
    Buffer.from(track.handler),
    ZERO.subarray(0, 12),
    Buffer.from(`${track.name}\0`),
  );
  const dinf = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const minf = box('minf', track.mediaHeader, dinf, stbl(track.sampleEntry));
  return box('trak', tkhd, box('mdia', mdhd, hdlr, minf));
}

/** Sample table, 8.5.1: its tables are empty, as every sample is in a fragment. */
function stbl(sampleEntry: Buffer): Buffer {
  return box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), sampleEntry),
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

const BITS_A_SAMPLE = 16;

/** MP4 audio sample entry, 12.2.3 and ISO/IEC 14496-14 section 5.6. */
function mp4a(): Buffer {
  return box(
    'mp4a',
    ZERO.subarray(0, 6),
    u16(1),
    ZERO.subarray(0, 8),
    u16(CHANNELS, BITS_A_SAMPLE),
    u32(0, SAMPLE_RATE * 0x10000),
    fullBox('esds', 0, 0, elementaryStream()),
  );
}

/** ISO/IEC 14496-1 section 7.2.6.6: MPEG-4 audio, an audio stream. */
const MPEG4_AUDIO = 0x40;
const AUDIO_STREAM = 0x15;
/** ISO/IEC 14496-3 section 1.6.2.1: AAC-LC (2) in 5 bits, 48 kHz (3) in 4, two channels (2) in 4. */
const AUDIO_SPECIFIC_CONFIG = Buffer.from([0x11, 0x90]);

/** ES descriptor, ISO/IEC 14496-1 section 7.2.6.5, with what it must have in MP4 (14496-14, 3.1.2). */
function elementaryStream(): Buffer {
  const decoder = descriptor(
    4,
    Buffer.from([MPEG4_AUDIO, AUDIO_STREAM, 0, 0, 0]),
    u32(0, 0),
    descriptor(5, AUDIO_SPECIFIC_CONFIG),
  );
  return descriptor(3, u16(0), Buffer.from([0]), decoder, descriptor(6, Buffer.from([2])));
}

/** A descriptor of less than 128 bytes, ISO/IEC 14496-1 section 8.3.3. */
function descriptor(tag: number, ...content: Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
}
