import { joinBytes } from '../join-bytes.js';

/** Writes Matroska (RFC 9559) with tracks as AVI describes them. */

/** A track: its format is AVI's own description of it (a `strf` chunk). */
export interface VfwTrack {
  kind: 'video' | 'audio';
  format: Uint8Array;
  /** Of a picture, in pixels. */
  width?: number;
  height?: number;
  /** Of sound. */
  sampleRate?: number;
  channels?: number;
}

/** Ids of elements (RFC 9559, section 5; RFC 8794, section 11.2). */
const ID = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
} as const;
const NANOSECONDS_A_TICK = 1_000_000;
const KEY_FRAME = 0x80;
const UNKNOWN_SIZE = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

/** All that comes before the first cluster; tracks are numbered from 1. */
export function vfwHeader(tracks: readonly VfwTrack[]): Uint8Array {
  const entries = tracks.map((track, n) => {
    const { kind, format, width = 0, height = 0, sampleRate = 0, channels = 1 } = track;
    const details =
      kind === 'video'
        ? element(ID.video, number(ID.pixelWidth, width), number(ID.pixelHeight, height))
        : element(
            ID.audio,
            element(ID.samplingFrequency, float(sampleRate)),
            number(ID.channels, channels),
          );
    return element(
      ID.trackEntry,
      number(ID.trackNumber, n + 1),
      number(ID.trackUid, n + 1),
      number(ID.trackType, kind === 'video' ? 1 : 2),
      element(ID.codecId, text(kind === 'video' ? 'V_MS/VFW/FOURCC' : 'A_MS/ACM')),
      element(ID.codecPrivate, format),
      details,
    );
  });
  return joinBytes([
    element(ID.ebml, element(ID.docType, text('matroska'))),
    // It ends with the stream.
    joinBytes([idBytes(ID.segment), new Uint8Array(UNKNOWN_SIZE)]),
    element(ID.info, number(ID.timestampScale, NANOSECONDS_A_TICK)),
    element(ID.tracks, ...entries),
  ]);
}

/** A cluster with one packet of a track (from 0), at a time in seconds. */
export function vfwPacket(
  track: number,
  { time, isKey, data }: { time: number; isKey: boolean; data: Uint8Array },
): Uint8Array {
  const head = new Uint8Array([0x80 | (track + 1), 0, 0, isKey ? KEY_FRAME : 0]);
  return element(
    ID.cluster,
    number(ID.timestamp, Math.round(time * 1000)),
    element(ID.simpleBlock, head, data),
  );
}

function element(id: number, ...contents: Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  return joinBytes([idBytes(id), sizeBytes(length), ...contents]);
}

/** RFC 8794, section 4: of one byte, or of eight where it must be. */
function sizeBytes(length: number): Uint8Array {
  if (length < 0x7f) return new Uint8Array([0x80 | length]);
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(length) | (1n << 56n));
  return size;
}

function number(id: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return element(id, bytes);
}

function float(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

const text = (value: string) => new TextEncoder().encode(value);

function idBytes(id: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, id);
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
}
