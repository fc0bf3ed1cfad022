import type { FileHandle } from 'node:fs/promises';
import { BOX_HEADER_BYTES, findBox } from '@facecast/shared/media/iso-boxes';
import { readRuns, type SampleRun } from './sample-runs.js';

/** Bytes per read: several parts, because a read costs more than its bytes. */
const BLOCK_BYTES = 64 * 1024;

/** Samples that lie one after another and need the same initialization section. */
interface SampleChunk {
  /** Position in the file, in bytes. */
  offset: number;
  samples: number;
  /** Number of their initialization section, from 0. */
  init: number;
}

/** Where the samples of one track are, and how large. */
export interface TrackIndex {
  sizes: number[];
  /** Numbers of the sync samples, from 0. */
  keys: number[];
  chunks: SampleChunk[];
}

/** Where the samples of a recording are. */
export interface SampleIndex {
  /** Contents of the `moov` of each initialization section. */
  inits: Buffer[];
  tracks: Map<number, TrackIndex>;
}

/**
 * Finds the samples of a recording by walking over the boxes between two positions of its file, without
 * reading the media. Stops at anything that is no box.
 */
export async function indexSamples(
  file: FileHandle,
  from: number,
  to: number,
): Promise<SampleIndex> {
  const index: SampleIndex = { inits: [], tracks: new Map() };
  let room = Buffer.allocUnsafe(BLOCK_BYTES);
  let block = room.subarray(0, 0);
  let blockAt = from;
  const read = async (at: number, bytes: number) => {
    if (at + bytes > blockAt + block.length) {
      if (bytes > room.length) room = Buffer.allocUnsafe(bytes);
      const { bytesRead } = await file.read(room, 0, room.length, at);
      [block, blockAt] = [room.subarray(0, bytesRead), at];
    }
    return block.subarray(at - blockAt, at - blockAt + bytes);
  };
  for (let at = from; at + BOX_HEADER_BYTES <= to;) {
    const header = await read(at, BOX_HEADER_BYTES);
    if (header.length < BOX_HEADER_BYTES) break;
    const size = header.readUInt32BE(0);
    const type = header.toString('latin1', 4, BOX_HEADER_BYTES);
    if (size < BOX_HEADER_BYTES || at + size > to || !KNOWN.includes(type)) break;
    if (type !== 'mdat') {
      const content = (await read(at, size)).subarray(BOX_HEADER_BYTES);
      if (type === 'moov') index.inits.push(Buffer.from(content));
      if (type === 'free') index.inits.push(Buffer.from(findBox(content, 'moov') ?? content));
      if (type === 'moof') for (const run of readRuns(content)) add(index, run, at);
    }
    at += size;
  }
  return index;
}

const KNOWN = ['ftyp', 'moov', 'free', 'moof', 'mdat'];

function add({ inits, tracks }: SampleIndex, run: SampleRun, partAt: number): void {
  const track = tracks.get(run.trackId) ?? { sizes: [], keys: [], chunks: [] };
  tracks.set(run.trackId, track);
  const { sizes, keys, offset } = run;
  keys.forEach((isKey, n) => isKey && track.keys.push(track.sizes.length + n));
  track.sizes.push(...sizes);
  track.chunks.push({ offset: partAt + offset, samples: sizes.length, init: inits.length - 1 });
}
