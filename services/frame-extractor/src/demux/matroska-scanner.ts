import { ByteStream } from './byte-stream.js';
import { MAX_HEADER_BYTES, type KeyFrame, type Scanned, type Scanner } from './scanner.js';

/** Element ids (RFC 9559, section 5; RFC 8794, section 11.2). */
const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  referenceBlock: 0xfb,
} as const;

/** Ids are unique over all levels, so that it is enough to go into these and to skip all others. */
const MASTERS: number[] = [
  ...[ID.segment, ID.info, ID.tracks, ID.trackEntry, ID.cluster, ID.blockGroup],
];
const NUMBERS: number[] = [ID.timestampScale, ID.trackNumber, ID.trackType, ID.timestamp];
const BLOCKS: number[] = [ID.simpleBlock, ID.block];

const VIDEO = 1;
const AUDIO = 2;
/** An id has at most 4 bytes and a size 8; a block's track number, time and flags have at most 11. */
const MAX_HEAD = 4 + 8 + 11;

interface Element {
  id: number;
  /** Undefined where it ends with what contains it, as live recorders write segments and clusters. */
  size: number | undefined;
  headBytes: number;
}

/** Finds the key frames of a WebM or Matroska stream. */
export class MatroskaScanner implements Scanner {
  header: Buffer | undefined;
  isLost = false;
  private readonly stream = new ByteStream();
  private beforeCluster: Buffer | undefined = Buffer.alloc(0);
  private nanosecondsPerTick = 1_000_000;
  private entry: { number?: number; type?: number } = {};
  private videoTrack: number | undefined;
  private audioTrack: number | undefined;
  private clusterTime = 0;
  private group: { at: number; end: number; key?: { ticks: number } } | undefined;

  push(bytes: Buffer): Scanned {
    const found: Scanned = { frames: 0, audioPackets: 0, keyFrames: [] };
    if (this.isLost) return found;
    if (this.beforeCluster) this.keepHeader(bytes);
    this.stream.push(bytes);
    while (found.next === undefined && !this.isLost && this.readElement(found));
    this.stream.settle();
    return found;
  }

  private keepHeader(bytes: Buffer): void {
    const length = this.beforeCluster!.length + bytes.length;
    // Its end may be anywhere in this piece.
    const kept = bytes.subarray(0, MAX_HEADER_BYTES + 1);
    this.beforeCluster = Buffer.concat([this.beforeCluster!, kept]);
    if (length > MAX_HEADER_BYTES + bytes.length) this.beforeCluster = undefined;
  }

  /** Reads the element that begins here; false where it has not come as far as it is wanted. */
  private readElement(found: Scanned): boolean {
    this.finishGroup(found);
    const at = this.stream.position;
    const bytes = this.stream.peek(MAX_HEAD);
    const element = this.parseHead(bytes);
    if (!element) return false;
    const { id, size, headBytes } = element;
    if (id === ID.ebml && at > 0) {
      found.next = at;
      return false;
    }
    if (MASTERS.includes(id)) {
      if (size === undefined && id !== ID.segment && id !== ID.cluster) return this.lose();
      this.enter(id, at, at + headBytes + (size ?? 0));
      this.stream.skip(headBytes);
      return true;
    }
    if (size === undefined) return this.lose();
    const wanted = NUMBERS.includes(id) ? size : BLOCKS.includes(id) ? Math.min(size, 11) : 0;
    if (headBytes + wanted > MAX_HEAD) return this.lose();
    if (bytes.length < headBytes + wanted) return false;
    const content = bytes.subarray(headBytes, headBytes + wanted);
    if (NUMBERS.includes(id) && !this.number(id, toNumber(content))) return this.lose();
    if (BLOCKS.includes(id)) this.block(id, at, content, found);
    if (id === ID.referenceBlock) delete this.group?.key;
    this.stream.skip(headBytes + size);
    this.finishGroup(found);
    return true;
  }

  private parseHead(bytes: Buffer): Element | undefined {
    const idBytes = Math.clz32(bytes[0] ?? 0) - 23;
    if (bytes.length === 0) return undefined;
    if (idBytes > 4) {
      this.lose();
      return undefined;
    }
    const sizeBytes = Math.clz32(bytes[idBytes] ?? 0) - 23;
    if (bytes.length <= idBytes) return undefined;
    if (sizeBytes > 8) {
      this.lose();
      return undefined;
    }
    const headBytes = idBytes + sizeBytes;
    if (bytes.length < headBytes) return undefined;
    const size = readVint(bytes.subarray(idBytes, headBytes));
    return { id: bytes.readUIntBE(0, idBytes), size, headBytes };
  }

  private enter(id: number, at: number, end: number): void {
    if (id === ID.trackEntry) this.entry = {};
    if (id === ID.blockGroup) this.group = { at, end };
    if (id === ID.cluster && this.beforeCluster) {
      if (at <= MAX_HEADER_BYTES) this.header = Buffer.from(this.beforeCluster.subarray(0, at));
      this.beforeCluster = undefined;
    }
  }

  /** False where it is larger than any number that makes sense. */
  private number(id: number, value: number): boolean {
    if (!Number.isSafeInteger(value)) return false;
    const { entry } = this;
    if (id === ID.timestampScale) this.nanosecondsPerTick = value;
    if (id === ID.timestamp) this.clusterTime = value;
    if (id === ID.trackNumber) entry.number = value;
    if (id === ID.trackType) entry.type = value;
    if (entry.type === VIDEO) this.videoTrack ??= entry.number;
    if (entry.type === AUDIO) this.audioTrack ??= entry.number;
    return true;
  }

  /** Block structure: RFC 9559, section 10. */
  private block(id: number, at: number, content: Buffer, found: Scanned): void {
    const trackBytes = Math.clz32(content[0] ?? 0) - 23;
    if (trackBytes > 8 || content.length < trackBytes + 3) return;
    const track = readVint(content.subarray(0, trackBytes));
    if (track !== undefined && track === this.audioTrack) found.audioPackets++;
    if (track !== this.videoTrack) return;
    found.frames++;
    const ticks = this.clusterTime + content.readInt16BE(trackBytes);
    const flags = content[trackBytes + 2]!;
    if (id === ID.simpleBlock && flags & 0x80) this.addKeyFrame(at, ticks, found);
    if (id === ID.block && this.group) this.group.key = { ticks };
  }

  /** A group without a reference to another frame is a key frame. */
  private finishGroup(found: Scanned): void {
    const { group } = this;
    if (!group || this.stream.position < group.end) return;
    if (group.key) this.addKeyFrame(group.at, group.key.ticks, found);
    this.group = undefined;
  }

  private addKeyFrame(at: number, ticks: number, { keyFrames }: Scanned): void {
    if (!this.header) return;
    const time = (ticks * this.nanosecondsPerTick) / 1000;
    const keyFrame: KeyFrame = { at, time, prefix: clusterHead(this.clusterTime) };
    keyFrames.push(keyFrame);
  }

  private lose(): false {
    this.isLost = true;
    return false;
  }
}

/** A cluster of unknown size with its timestamp. */
function clusterHead(ticks: number): Buffer {
  const head = Buffer.from('1f43b67501ffffffffffffffe7880000000000000000', 'hex');
  head.writeBigUInt64BE(BigInt(ticks), head.length - 8);
  return head;
}

/** An EBML number of variable length (RFC 8794, section 4); undefined where all its bits are set. */
function readVint(bytes: Buffer): number | undefined {
  const first = bytes[0]! & (0xff >> bytes.length);
  const isUnknown = first === 0xff >> bytes.length && bytes.subarray(1).every((b) => b === 0xff);
  return isUnknown ? undefined : first * 256 ** (bytes.length - 1) + toNumber(bytes.subarray(1));
}

function toNumber(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
