import { hdrTransfer, joinTimes, type HdrTransfer, type ShownTimes } from './scanner.js';

/** Reads the boxes of a fragmented MP4 (ISO/IEC 14496-12, section 8) that describe its key frames. */

/** A track of a movie. */
export interface Mp4Track {
  id: number;
  /** Units of its clock in a second. */
  timescale: number;
  /** Default flags and duration of a sample, in units of its clock. */
  defaultFlags: number;
  defaultDuration: number;
  /** Whether fragments may have samples of it. */
  isInFragments: boolean;
  isH264: boolean;
  hdr: HdrTransfer | undefined;
}

/** A fragment's samples of one track. */
export interface Fragment {
  samples: number;
  /** When its first sample is shown, in microseconds, if a decoder can begin with that sample. */
  time: number | undefined;
  /** When its samples are shown; undefined if nothing says it. */
  shown: ShownTimes | undefined;
  /** Whether its samples are not in the order in which they are shown. */
  isReordered: boolean;
  /** Where its first sample is, in bytes from the beginning of its `moof`. */
  offset: number;
}

const IS_NON_SYNC = 0x10000;

/**
 * The first track of a kind.
 * @param movie a whole `moov` box
 * @param kind its handler type (ISO/IEC 14496-12, section 12)
 */
export function readTrack(movie: Buffer, kind: 'vide' | 'soun'): Mp4Track | undefined {
  for (const track of children(movie, 'trak')) {
    const media = children(track, 'mdia')[0];
    const [handler, mediaHead] = [child(media, 'hdlr'), child(media, 'mdhd')];
    const trackHead = child(track, 'tkhd');
    if (!handler || !mediaHead || !trackHead || handler.toString('latin1', 16, 20) !== kind)
      continue;
    const id = uint(trackHead, isLong(trackHead) ? 28 : 20);
    const timescale = uint(mediaHead, isLong(mediaHead) ? 28 : 20);
    const defaults = children(child(movie, 'mvex'), 'trex').find((box) => uint(box, 12) === id);
    const defaultDuration = defaults ? uint(defaults, 20) : 0;
    const defaultFlags = defaults ? uint(defaults, 28) : 0;
    const isInFragments = defaults !== undefined;
    const entries = [child(media, 'minf')].flatMap((info) => children(child(info, 'stbl'), 'stsd'));
    const isH264 = entries.some((entry) => /^avc[13]$/.test(entry.toString('latin1', 20, 24)));
    const [hdr] = entries.flatMap((entry) => hdrOf(entry) ?? []);
    return { id, timescale, defaultFlags, defaultDuration, isInFragments, isH264, hdr };
  }
  return undefined;
}

/**
 * The transfer function that a sample description says, if it is one of HDR (section 12.1.5).
 * @param description a whole `stsd` box
 */
function hdrOf(description: Buffer): HdrTransfer | undefined {
  const size = uint(description, 16);
  // The boxes of a visual sample entry come after its 86 bytes of fixed fields; `children` skips 8 of them.
  const boxes = description.subarray(16 + 86 - 8, 16 + size);
  const colour = child(boxes, 'colr');
  if (colour?.toString('latin1', 8, 12) !== 'nclx' || colour.length < 16) return undefined;
  return hdrTransfer(colour.readUInt16BE(14));
}

/**
 * Whether fragments are to follow (section 8.8.1).
 * @param movie a whole `moov` box
 */
export function isFragmented(movie: Buffer): boolean {
  return child(movie, 'mvex') !== undefined;
}

/** @param moof a whole `moof` box */
export function readFragment(moof: Buffer, track: Mp4Track): Fragment | undefined {
  for (const traf of children(moof, 'traf')) {
    const head = child(traf, 'tfhd');
    if (!head || uint(head, 12) !== track.id) continue;
    const runs = children(traf, 'trun');
    const samples = runs.reduce((sum, run) => sum + uint(run, 12), 0);
    const [first] = runs;
    const decodeTime = child(traf, 'tfdt');
    const { flags, duration, isRelative } = readTrackFragmentHead(head, track);
    const offset = first && flagsOf(first) & 0x1 ? uint(first, 16) | 0 : 0;
    if (!first || !decodeTime || samples === 0)
      return { samples, time: undefined, shown: undefined, isReordered: false, offset };
    const base = isLong(decodeTime) ? Number(long(decodeTime, 12)) : uint(decodeTime, 12);
    const toMicroseconds = (ticks: number) => Math.floor((ticks * 1_000_000) / track.timescale);
    const { from, to, end, isReordered } = readTimes(runs, base, duration);
    const [shownFrom, shownTo, shownEnd] = [from, to, end].map(toMicroseconds);
    const shown = { from: shownFrom!, to: shownTo!, end: shownEnd! };
    const sample = readFirstSample(first, flags);
    const isEntry = isRelative && !(sample.flags & IS_NON_SYNC);
    const time = isEntry ? toMicroseconds(base + sample.offset) : undefined;
    return { samples, time, shown, isReordered, offset };
  }
  return undefined;
}

/** Optional fields come in the order of their flags. */
function readTrackFragmentHead(head: Buffer, track: Mp4Track) {
  const flags = flagsOf(head);
  const durationAt = 16 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);
  const flagsAt = durationAt + (flags & 0x8 ? 4 : 0) + (flags & 0x10 ? 4 : 0);
  return {
    flags: flags & 0x20 ? uint(head, flagsAt) : track.defaultFlags,
    duration: flags & 0x8 ? uint(head, durationAt) : track.defaultDuration,
    /** Whether offsets are relative to the fragment, so that it can be moved. */
    isRelative: !(flags & 0x1),
  };
}

function readFirstSample(run: Buffer, defaultFlags: number): { flags: number; offset: number } {
  const flags = flagsOf(run);
  let at = 16;
  if (flags & 0x1) at += 4;
  let sampleFlags = defaultFlags;
  if (flags & 0x4) sampleFlags = uint(run, at);
  if (flags & 0x4) at += 4;
  if (flags & 0x100) at += 4;
  if (flags & 0x200) at += 4;
  if (flags & 0x400) {
    if (!(flags & 0x4)) sampleFlags = uint(run, at);
    at += 4;
  }
  const offset = flags & 0x800 ? uint(run, at) | 0 : 0;
  return { flags: sampleFlags, offset };
}

/** When samples are shown, in ticks of their track. */
function readTimes(runs: Buffer[], base: number, defaultDuration: number) {
  let shown: ShownTimes | undefined;
  let decoded = base;
  let isReordered = false;
  for (const run of runs) {
    const flags = flagsOf(run);
    const count = uint(run, 12);
    const entryBytes = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
    let at = 16 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
    const add = (samples: number, duration: number, offset: number) => {
      const end = decoded + samples * duration;
      const [from, to] = [decoded + offset, end - duration + offset];
      isReordered ||= shown !== undefined && from < shown.to;
      shown = joinTimes(shown, { from, to, end: end + offset });
      decoded = end;
    };
    if (!(flags & (0x100 | 0x800))) {
      add(count, defaultDuration, 0);
      continue;
    }
    for (let n = 0; n < count && at + entryBytes <= run.length; n++, at += entryBytes) {
      const duration = flags & 0x100 ? uint(run, at) : defaultDuration;
      add(1, duration, flags & 0x800 ? uint(run, at + entryBytes - 4) | 0 : 0);
    }
  }
  return { ...(shown ?? { from: base, to: base, end: base }), isReordered };
}

function children(parent: Buffer | undefined, type: string): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 8; parent && at + 8 <= parent.length;) {
    const size = parent.readUInt32BE(at);
    if (size < 8) break;
    if (parent.toString('latin1', at + 4, at + 8) === type)
      found.push(parent.subarray(at, at + size));
    at += size;
  }
  return found;
}

const child = (parent: Buffer | undefined, type: string) => children(parent, type)[0];
const isLong = (box: Buffer) => box[8] === 1;
const flagsOf = (box: Buffer) => uint(box, 8) & 0xffffff;
/** Reads a number; 0 if the box is too short. */
const uint = (box: Buffer, at: number) => (at + 4 <= box.length ? box.readUInt32BE(at) : 0);
const long = (box: Buffer, at: number) => (at + 8 <= box.length ? box.readBigUInt64BE(at) : 0n);
