import { box, findBox, fullBox, listBoxes, u32, u64 } from '@facecast/shared/media/iso-boxes';
import { MOVIE_TIMESCALE, PICTURE_TICKS, VIDEO_TRACK_ID } from './init-segment.js';
import { AAC_FRAME_SAMPLES } from '../encode/audio-encoder.js';
import type { SampleIndex, TrackIndex } from './sample-index.js';

/**
 * The `moov` of a finished recording: its initialization section's, with the tables of all samples. Section
 * numbers are of ISO/IEC 14496-12.
 */
export function movieBox({ inits, tracks }: SampleIndex): Buffer {
  const traks = inits.map((init) => listBoxes(init).filter(({ type }) => type === 'trak'));
  let longest = 0;
  const rebuiltTraks = (traks[0] ?? []).map(({ content: trak }, n) => {
    const track = tracks.get(trackIdOf(trak)) ?? { sizes: [], keys: [], chunks: [] };
    const entries = traks.flatMap((ofInit) => sampleEntries(ofInit[n]?.content ?? trak));
    const ticks = track.sizes.length * ticksOf(trackIdOf(trak));
    const duration = Math.round((ticks / timescaleOf(trak)) * MOVIE_TIMESCALE);
    longest = Math.max(longest, duration);
    return rebuilt('trak', trak, {
      tkhd: (tkhd) => box('tkhd', withU32(tkhd, TKHD_DURATION, duration)),
      mdia: (mdia) =>
        rebuilt('mdia', mdia, {
          mdhd: (mdhd) => mediaHeader(mdhd, ticks),
          minf: (minf) =>
            rebuilt('minf', minf, { stbl: () => stbl(trackIdOf(trak), track, entries) }),
        }),
    });
  });
  const mvhd = findBox(inits[0] ?? EMPTY, 'mvhd') ?? EMPTY;
  return box('moov', box('mvhd', withU32(mvhd, MVHD_DURATION, longest)), ...rebuiltTraks);
}

const EMPTY = Buffer.alloc(0);
/** Where fields of boxes of version 0 are (8.2.2, 8.3.2, 8.4.2). */
const MVHD_DURATION = 16;
const TKHD_TRACK_ID = 12;
const TKHD_DURATION = 20;
const MDHD_TIMESCALE = 12;
const MDHD_LANGUAGE = 20;
/** Before the entries of an `stsd`, 8.5.2: version, flags and their number. */
const STSD_FIELDS_BYTES = 8;

const trackIdOf = (trak: Buffer) => findBox(trak, 'tkhd')!.readUInt32BE(TKHD_TRACK_ID);
const timescaleOf = (trak: Buffer) => findBox(trak, 'mdia', 'mdhd')!.readUInt32BE(MDHD_TIMESCALE);
const ticksOf = (trackId: number) =>
  trackId === VIDEO_TRACK_ID ? PICTURE_TICKS : AAC_FRAME_SAMPLES;

function sampleEntries(trak: Buffer): Buffer[] {
  const stsd = findBox(trak, 'mdia', 'minf', 'stbl', 'stsd')!.subarray(STSD_FIELDS_BYTES);
  return listBoxes(stsd).map(({ type, content }) => box(type, content));
}

/** A copy of a box in which the boxes of some types are replaced. */
function rebuilt(
  type: string,
  content: Buffer,
  replacements: Record<string, (content: Buffer) => Buffer>,
): Buffer {
  const boxes = listBoxes(content).map(
    (inner) => replacements[inner.type]?.(inner.content) ?? box(inner.type, inner.content),
  );
  return box(type, ...boxes);
}

function withU32(content: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(content);
  changed.writeUInt32BE(value, at);
  return changed;
}

/** Media header of version 1, 8.4.2: its ticks may be more than 32 bits can count. */
function mediaHeader(mdhd: Buffer, ticks: number): Buffer {
  const timescale = mdhd.readUInt32BE(MDHD_TIMESCALE);
  const language = mdhd.subarray(MDHD_LANGUAGE);
  return fullBox('mdhd', 1, 0, u64(0), u64(0), u32(timescale), u64(ticks), language);
}

/** Sample table, 8.5.1. */
function stbl(trackId: number, { sizes, keys, chunks }: TrackIndex, entries: Buffer[]): Buffer {
  const count = sizes.length;
  const times = count > 0 ? [1, count, ticksOf(trackId)] : [0];
  const chunkRuns = runsOf(chunks);
  const chunkOffsets = Buffer.alloc(chunks.length * 8);
  chunks.forEach(({ offset }, n) => chunkOffsets.writeBigUInt64BE(BigInt(offset), n * 8));
  const allAreKeys = keys.length === count;
  return box(
    'stbl',
    fullBox('stsd', 0, 0, u32(entries.length), ...entries),
    fullBox('stts', 0, 0, u32(...times)),
    ...(allAreKeys ? [] : [fullBox('stss', 0, 0, table(keys.map((n) => n + 1)))]),
    fullBox('stsc', 0, 0, u32(chunkRuns.length / STSC_FIELDS), list(chunkRuns)),
    fullBox('stsz', 0, 0, u32(0), table(sizes)),
    fullBox('co64', 0, 0, u32(chunks.length), chunkOffsets),
  );
}

/** Of an entry of `stsc`, 8.7.4: first chunk, samples in each, sample entry; all count from 1. */
const STSC_FIELDS = 3;

function runsOf(chunks: TrackIndex['chunks']): number[] {
  const runs: number[] = [];
  chunks.forEach(({ samples, init }, n) => {
    const before = chunks[n - 1];
    if (before?.samples !== samples || before.init !== init) runs.push(n + 1, samples, init + 1);
  });
  return runs;
}

/** A count and as many numbers of 32 bits: more than a call can have as its arguments. */
function table(values: number[]): Buffer {
  return Buffer.concat([u32(values.length), list(values)]);
}

function list(values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}
