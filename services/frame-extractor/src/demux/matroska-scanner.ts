import { ByteStream } from './byte-stream.js';
import { LOOKED_AT_BYTES, refreshFrames } from './h264-refresh.js';
import {
  framesShown,
  hdrTransfer,
  joinTimes,
  MAX_HEADER_BYTES,
  type HdrTransfer,
  type Scanned,
  type Scanner,
} from './scanner.js';

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
  codecId: 0x86,
  video: 0xe0,
  colour: 0x55b0,
  transfer: 0x55ba,
  defaultDuration: 0x23e383,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  blockDuration: 0x9b,
  referenceBlock: 0xfb,
} as const;

/** Elements whose content is read; all others are skipped. Ids are unique over all levels. */
const MASTERS: number[] = [
  ...[ID.segment, ID.info, ID.tracks, ID.trackEntry, ID.video, ID.colour],
  ...[ID.cluster, ID.blockGroup],
];
const NUMBERS: number[] = [
  ...[ID.timestampScale, ID.trackNumber, ID.trackType, ID.defaultDuration],
  ...[ID.timestamp, ID.blockDuration, ID.transfer],
];
const BLOCKS: number[] = [ID.simpleBlock, ID.block];

const VIDEO = 1;
const AUDIO = 2;
/** An id has at most 4 bytes and a size 8; a block's track number, time and flags have at most 11. */
const BLOCK_HEAD = 11;
const MAX_HEAD = 4 + 8 + BLOCK_HEAD;
const H264 = 'V_MPEG4/ISO/AVC';

interface Element {
  id: number;
  /** Undefined if it ends with its parent, as live recorders write segments and clusters. */
  size: number | undefined;
  headBytes: number;
}

/** A track as the header describes it. */
interface Track {
  number?: number;
  type?: number;
  isH264?: boolean;
  hdr?: HdrTransfer | undefined;
  /** Duration of each frame in nanoseconds, unless a block has its own. */
  defaultDuration?: number;
}

/** A group with one block. */
interface BlockGroup {
  at: number;
  end: number;
  /** When its block is shown, if that is of the video track. */
  ticks?: number;
  refreshFrames?: number;
  isReferring?: boolean;
}

/** Finds the key frames of a WebM or Matroska stream. */
export class MatroskaScanner implements Scanner {
  header: Buffer | undefined;
  isLost = false;
  private readonly stream = new ByteStream();
  private beforeCluster: Buffer | undefined = Buffer.alloc(0);
  private nanosecondsPerTick = 1_000_000;
  private entry: Track = {};
  private video: Track | undefined;
  private audio: Track | undefined;
  private clusterTime = 0;
  private newestTicks = -Infinity;
  /** Whether frames are not in the order in which they are shown. */
  private isReordered = false;
  private group: BlockGroup | undefined;

  get hdr(): HdrTransfer | undefined {
    return this.video?.hdr;
  }

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

  /** Reads the element that begins here; returns false if its needed bytes have not come yet. */
  private readElement(found: Scanned): boolean {
    this.finishGroup(found);
    const at = this.stream.position;
    const bytes = this.stream.peek(MAX_HEAD + LOOKED_AT_BYTES);
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
    if (NUMBERS.includes(id) && headBytes + size > MAX_HEAD) return this.lose();
    const wanted = this.wanted(id, size);
    if (bytes.length < headBytes + wanted) return false;
    const content = bytes.subarray(headBytes, headBytes + wanted);
    if (NUMBERS.includes(id) && !this.number(id, toNumber(content), found)) return this.lose();
    if (BLOCKS.includes(id)) this.block(id, at, content, found);
    if (id === ID.codecId) this.entry.isH264 = content.toString('latin1') === H264;
    if (id === ID.referenceBlock && this.group) this.group.isReferring = true;
    this.stream.skip(headBytes + size);
    this.finishGroup(found);
    return true;
  }

  /** Number of bytes of an element's content that are needed. */
  private wanted(id: number, size: number): number {
    if (NUMBERS.includes(id)) return size;
    if (id === ID.codecId) return Math.min(size, H264.length + 1);
    if (!BLOCKS.includes(id)) return 0;
    return Math.min(size, BLOCK_HEAD + (this.video?.isH264 ? LOOKED_AT_BYTES : 0));
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

  /** Handles an element with a number; returns false if that is too large to be valid. */
  private number(id: number, value: number, found: Scanned): boolean {
    if (!Number.isSafeInteger(value)) return false;
    const { entry, group } = this;
    if (id === ID.timestampScale) this.nanosecondsPerTick = value;
    if (id === ID.timestamp) this.clusterTime = value;
    if (id === ID.trackNumber) entry.number = value;
    if (id === ID.trackType) entry.type = value;
    if (id === ID.transfer) entry.hdr = hdrTransfer(value);
    if (id === ID.defaultDuration) entry.defaultDuration = value;
    if (entry.type === VIDEO) this.video ??= entry;
    if (entry.type === AUDIO) this.audio ??= entry;
    if (id === ID.blockDuration && group?.ticks !== undefined)
      this.addShown(group.ticks, this.toMicroseconds(value), found);
    return true;
  }

  /** Block structure: RFC 9559, section 10. */
  private block(id: number, at: number, content: Buffer, found: Scanned): void {
    const trackBytes = Math.clz32(content[0] ?? 0) - 23;
    if (trackBytes > 8 || content.length < trackBytes + 3) return;
    const track = readVint(content.subarray(0, trackBytes));
    if (track === undefined) return;
    const ticks = this.clusterTime + content.readInt16BE(trackBytes);
    if (track === this.audio?.number) {
      found.audioPackets++;
      found.heard = this.toMicroseconds(ticks);
    }
    if (track !== this.video?.number) return;
    found.frames++;
    this.addShown(ticks, (this.video.defaultDuration ?? 0) / 1000, found);
    const flags = content[trackBytes + 2]!;
    this.isReordered ||= ticks < this.newestTicks;
    this.newestTicks = ticks;
    const refresh = this.video.isH264 ? refreshFrames(content.subarray(trackBytes + 3)) : 0;
    if (id === ID.simpleBlock && flags & 0x80) this.addKeyFrame(at, ticks, refresh, found);
    if (id === ID.block && this.group) {
      this.group.ticks = ticks;
      this.group.refreshFrames = refresh;
    }
  }

  /** A group without a reference to another frame is a key frame. */
  private finishGroup(found: Scanned): void {
    const { group } = this;
    if (!group || this.stream.position < group.end) return;
    if (group.ticks !== undefined && !group.isReferring)
      this.addKeyFrame(group.at, group.ticks, group.refreshFrames ?? 0, found);
    this.group = undefined;
  }

  private addKeyFrame(at: number, ticks: number, references: number, found: Scanned): void {
    if (!this.header) return;
    const time = this.toMicroseconds(ticks);
    const prefix = clusterHead(this.clusterTime);
    const refreshFrames = framesShown(references, this.isReordered);
    found.keyFrames.push({ at, time, prefix, refreshFrames });
  }

  private addShown(ticks: number, duration: number, found: Scanned): void {
    const time = this.toMicroseconds(ticks);
    found.shown = joinTimes(found.shown, { from: time, to: time, end: time + duration });
  }

  private toMicroseconds(ticks: number): number {
    return (ticks * this.nanosecondsPerTick) / 1000;
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

/** An EBML number of variable length (RFC 8794, section 4); undefined if all its bits are set. */
function readVint(bytes: Buffer): number | undefined {
  const first = bytes[0]! & (0xff >> bytes.length);
  const isUnknown = first === 0xff >> bytes.length && bytes.subarray(1).every((b) => b === 0xff);
  return isUnknown ? undefined : first * 256 ** (bytes.length - 1) + toNumber(bytes.subarray(1));
}

function toNumber(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
