/** Reads the boxes of a fragmented MP4 (ISO/IEC 14496-12, section 8) that tell its key frames. */

/** A track of a movie. */
export interface Mp4Track {
  id: number;
  /** Units of its clock in a second. */
  timescale: number;
  /** Flags of a sample for which nothing else says them. */
  defaultFlags: number;
  /** Whether fragments may have samples of it. */
  isInFragments: boolean;
}

/** What a fragment has of a track. */
export interface Fragment {
  samples: number;
  /** When its first sample is shown, in microseconds, where a decoder can begin with that sample. */
  time: number | undefined;
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
    const defaultFlags = defaults ? uint(defaults, 28) : 0;
    return { id, timescale, defaultFlags, isInFragments: defaults !== undefined };
  }
  return undefined;
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
    const { flags, isRelative } = readTrackFragmentHead(head, track);
    if (!first || !decodeTime || samples === 0 || !isRelative) return { samples, time: undefined };
    const sample = readFirstSample(first, flags);
    const base = isLong(decodeTime) ? Number(long(decodeTime, 12)) : uint(decodeTime, 12);
    const time = Math.floor(((base + sample.offset) * 1_000_000) / track.timescale);
    return { samples, time: sample.flags & IS_NON_SYNC ? undefined : time };
  }
  return undefined;
}

/** Its optional fields stand in the order of their flags. */
function readTrackFragmentHead(head: Buffer, track: Mp4Track) {
  const flags = flagsOf(head);
  let at = 16;
  for (const [flag, bytes] of [
    [0x1, 8],
    [0x2, 4],
    [0x8, 4],
    [0x10, 4],
  ] as const)
    if (flags & flag) at += bytes;
  return {
    flags: flags & 0x20 ? uint(head, at) : track.defaultFlags,
    /**
     * Whether its media are found from where it stands itself: those of others are lost when it is moved.
     */
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
/** 0 where the box is too short for it. */
const uint = (box: Buffer, at: number) => (at + 4 <= box.length ? box.readUInt32BE(at) : 0);
const long = (box: Buffer, at: number) => (at + 8 <= box.length ? box.readBigUInt64BE(at) : 0n);
