import type { TimedBytes } from './file-stream.js';
import { vfwHeader, vfwPacket, type VfwTrack } from './vfw-matroska.js';

/** Maximum sizes of a header, a packet and an index, in bytes; larger ones are not read. */
const MAX_HEADER_BYTES = 1024 * 1024;
const MAX_PACKET_BYTES = 16 * 1024 * 1024;
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
/** Number of bytes that are read at once. */
const READ_BYTES = 1024 * 1024;

/** A chunk: four letters, its size, its content, which is as long as an even number says. */
const HEAD_BYTES = 8;
/** A list of chunks says in four letters more what list it is. */
const LIST_HEAD_BYTES = 12;
/** An entry of the index: four letters, flags, place and size. */
const ENTRY_BYTES = 16;
const KEY_FRAME = 0x10;

/** One stream of an AVI file: its number, its description, and its time in seconds. */
interface Stream {
  index: number;
  track: VfwTrack;
  start: number;
  duration(bytes: number): number;
}

/** An AVI file. No browser plays one, but its packets can be sent. */
export class AviFile {
  private readonly file: Blob;
  private readonly loop: boolean;
  private readonly streams: readonly Stream[];

  private constructor(file: Blob, loop: boolean, streams: readonly Stream[]) {
    this.file = file;
    this.loop = loop;
    this.streams = streams;
  }

  /** Opens a file; resolves to undefined if it is no AVI, or has no video. */
  static async open(
    file: Blob,
    { loop, withSound }: { loop: boolean; withSound: boolean },
  ): Promise<AviFile | undefined> {
    const start = await file.slice(0, MAX_HEADER_BYTES).arrayBuffer();
    if (letters(new Uint8Array(start), 0) !== 'RIFF') return undefined;
    const streams = readStreams(start);
    const find = (kind: VfwTrack['kind']) => streams.find(({ track }) => track.kind === kind);
    const [video, audio] = [find('video'), withSound ? find('audio') : undefined];
    return video && new AviFile(file, loop, audio ? [video, audio] : [video]);
  }

  /** Its packets as a Matroska stream, from the beginning on. */
  async *remuxed(): AsyncGenerator<TimedBytes, void, undefined> {
    yield { time: 0, bytes: [vfwHeader(this.streams.map(({ track }) => track))] };
    let passed = 0;
    do {
      const times = this.streams.map(({ start }) => passed + start);
      for await (const { index, isKey, data } of packets(this.file)) {
        const n = this.streams.findIndex((stream) => stream.index === index);
        const [stream, time] = [this.streams[n], times[n]];
        if (!stream || time === undefined) continue;
        times[n] = time + stream.duration(data.length);
        // An empty packet repeats the picture before it.
        if (data.length > 0) yield { time, bytes: [vfwPacket(n, { time, isKey, data })] };
      }
      const end = Math.max(...times);
      if (end <= passed) return;
      passed = end;
    } while (this.loop);
  }
}

/** The streams that a file's beginning describes. */
function readStreams(start: ArrayBuffer): Stream[] {
  const streams: Stream[] = [];
  const view = new DataView(start);
  const bytes = new Uint8Array(start);
  let [index, header] = [-1, -1];
  for (let at = LIST_HEAD_BYTES; at + LIST_HEAD_BYTES <= bytes.length;) {
    const [id, size] = [letters(bytes, at), view.getUint32(at + 4, true)];
    const content = at + HEAD_BYTES;
    if (id === 'LIST' && ['hdrl', 'strl'].includes(letters(bytes, content))) {
      at += LIST_HEAD_BYTES;
      continue;
    }
    if (id === 'LIST' && letters(bytes, content) === 'movi') break;
    if (id === 'strh') [index, header] = [index + 1, content];
    const isWhole = content + size <= bytes.length;
    if (id === 'strf' && header >= 0 && isWhole) {
      const stream = readStream(index, view, header, bytes.subarray(content, content + size));
      if (stream) streams.push(stream);
    }
    at = content + size + (size % 2);
  }
  return streams;
}

/** @param header where its `strh` (AVISTREAMHEADER) is; `format` is its `strf` */
function readStream(
  index: number,
  view: DataView,
  header: number,
  format: Uint8Array,
): Stream | undefined {
  const [scale, rate] = [view.getUint32(header + 20, true), view.getUint32(header + 24, true)];
  const [start, sampleBytes] = [
    view.getUint32(header + 28, true),
    view.getUint32(header + 44, true),
  ];
  const described = new DataView(format.buffer, format.byteOffset, format.length);
  if (scale === 0 || rate === 0 || format.length < 16) return undefined;
  const seconds = (units: number) => (units * scale) / rate;
  switch (letters(new Uint8Array(view.buffer), header)) {
    case 'vids': {
      // BITMAPINFOHEADER; a negative height is that of a picture from its top down.
      const [width, height] = [described.getInt32(4, true), described.getInt32(8, true)];
      const track = { kind: 'video', format, width, height: Math.abs(height) } as const;
      return { index, track, start: seconds(start), duration: () => seconds(1) };
    }
    case 'auds': {
      // WAVEFORMATEX; a packet of sound that is not counted in samples has one block or more.
      const [channels, sampleRate] = [described.getUint16(2, true), described.getUint32(4, true)];
      const unitBytes = sampleBytes || described.getUint16(12, true) || Infinity;
      const track = { kind: 'audio', format, channels, sampleRate } as const;
      const duration = (bytes: number) =>
        seconds(sampleBytes > 0 ? bytes / unitBytes : Math.max(1, Math.ceil(bytes / unitBytes)));
      return { index, track, start: seconds(start), duration };
    }
    default:
      return undefined;
  }
}

interface Packet {
  /** Which stream it belongs to. */
  index: number;
  isKey: boolean;
  data: Uint8Array;
}

/** Yields all packets of a file, in its order. */
async function* packets(file: Blob): AsyncGenerator<Packet, void, undefined> {
  let keys: ((id: string) => boolean) | undefined;
  const read = reader(file);
  for (let at = 0; at + HEAD_BYTES <= file.size;) {
    const head = await read(at, LIST_HEAD_BYTES);
    const [id, size] = [letters(head, 0), uint32(head, 4)];
    const list = ['RIFF', 'LIST'].includes(id) ? letters(head, 8) : '';
    if (['AVI ', 'AVIX', 'movi', 'rec '].includes(list)) {
      if (list === 'movi') keys ??= await readKeys(file, at + HEAD_BYTES + size + (size % 2));
      at += LIST_HEAD_BYTES;
      continue;
    }
    at += HEAD_BYTES;
    const [, index] = /^(\d\d)(?:dc|db|wb)$/.exec(id) ?? [];
    if (index !== undefined && size <= MAX_PACKET_BYTES) {
      const isKey = id.endsWith('wb') || (keys?.(id) ?? false);
      yield { index: Number(index), isKey, data: await read(at, size) };
    }
    at += size + (size % 2);
  }
}

/**
 * Returns a function that tells for each packet in turn whether it is a key frame, by the index (`idx1`) at
 * the file's end.
 */
async function readKeys(file: Blob, at: number): Promise<(id: string) => boolean> {
  const head = new Uint8Array(await file.slice(at, at + HEAD_BYTES).arrayBuffer());
  const isThere = letters(head, 0) === 'idx1' && uint32(head, 4) <= MAX_INDEX_BYTES;
  const begin = at + HEAD_BYTES;
  const end = begin + (isThere ? uint32(head, 4) : 0);
  const index = new Uint8Array(await file.slice(begin, end).arrayBuffer());
  const next = new Map<string, number>();
  return (id) => {
    let entry = next.get(id) ?? 0;
    while (entry + ENTRY_BYTES <= index.length && letters(index, entry) !== id)
      entry += ENTRY_BYTES;
    next.set(id, entry + ENTRY_BYTES);
    return entry + ENTRY_BYTES <= index.length && (uint32(index, entry + 4) & KEY_FRAME) !== 0;
  };
}

/** Reads bytes of a file, mostly one after another. */
function reader(file: Blob): (at: number, length: number) => Promise<Uint8Array> {
  let [begin, bytes] = [0, new Uint8Array()];
  return async (at, length) => {
    if (at < begin || at + length > begin + bytes.length) {
      const end = at + Math.max(length, READ_BYTES);
      [begin, bytes] = [at, new Uint8Array(await file.slice(at, end).arrayBuffer())];
    }
    return bytes.subarray(at - begin, at - begin + length);
  };
}

const letters = (bytes: Uint8Array, at: number) =>
  String.fromCharCode(...bytes.subarray(at, at + 4));

/** Reads a number; 0 if there are too few bytes. */
function uint32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
