import { isFragmented, readFragment, readTrack, type Mp4Track } from './mp4-boxes.js';
import { ByteStream } from './byte-stream.js';
import { LOOKED_AT_BYTES, refreshFrames } from './h264-refresh.js';
import {
  framesShown,
  joinTimes,
  type HdrTransfer,
  type KeyFrame,
  MAX_HEADER_BYTES,
  type Scanned,
  type Scanner,
} from './scanner.js';

/** Larger movie fragments (their sample tables, not the media) are not read. */
const MAX_FRAGMENT_BYTES = 1024 * 1024;
const SMALL_HEAD = 8;
const LARGE_HEAD = 16;

/** Finds the key frames at the beginnings of a fragmented MP4's fragments (ISO/IEC 14496-12). */
export class Mp4Scanner implements Scanner {
  header: Buffer | undefined;
  isLost = false;
  private readonly stream = new ByteStream();
  private fileType = Buffer.alloc(0);
  private track: Mp4Track | undefined;
  private audioTrack: Mp4Track | undefined;
  private isReordered = false;
  /** End of the box in which a key frame's picture is read; undefined outside of it. */
  private toBoxEnd: number | undefined;
  /** A key frame whose picture has not come yet, and its position. */
  private pending: { keyFrame: KeyFrame; pictureAt: number } | undefined;

  get hdr(): HdrTransfer | undefined {
    return this.track?.hdr;
  }

  push(bytes: Buffer): Scanned {
    const found: Scanned = { frames: 0, audioPackets: 0, keyFrames: [] };
    if (this.isLost) return found;
    this.stream.push(bytes);
    while (found.next === undefined && !this.isLost && this.readBox(found));
    this.stream.settle();
    return found;
  }

  /** Reads the box that begins here; returns false if its needed bytes have not come yet. */
  private readBox(found: Scanned): boolean {
    if (this.toBoxEnd !== undefined) return this.lookAtPicture(this.toBoxEnd, found);
    const head = this.stream.peek(LARGE_HEAD);
    if (head.length < SMALL_HEAD) return false;
    const type = head.toString('latin1', 4, 8);
    if (type === 'ftyp' && this.stream.position > 0) {
      found.next = this.stream.position;
      return false;
    }
    let size = head.readUInt32BE(0);
    if (size === 1) {
      if (head.length < LARGE_HEAD) return false;
      size = Number(head.readBigUInt64BE(8));
    }
    if (size < SMALL_HEAD) {
      // A box of size 0 ends with the stream; a size below that of its head is invalid.
      this.isLost = true;
      return false;
    }
    const isWanted = size <= (type === 'moof' ? MAX_FRAGMENT_BYTES : MAX_HEADER_BYTES);
    if (isWanted && ['ftyp', 'moov', 'moof'].includes(type)) {
      const box = this.stream.peek(size);
      if (box.length < size) return false;
      this.look(type, box, found);
    }
    const end = this.stream.position + size;
    const { pictureAt = end } = this.pending ?? {};
    if (type === 'mdat' && pictureAt < end) {
      this.stream.skip(Math.max(0, pictureAt - this.stream.position));
      this.toBoxEnd = end;
      return true;
    }
    this.stream.skip(size);
    return true;
  }

  /** Looks at the beginning of a key frame's picture, in a box up to `end`. */
  private lookAtPicture(end: number, found: Scanned): boolean {
    const wanted = Math.min(LOOKED_AT_BYTES, end - this.stream.position);
    const picture = this.stream.peek(wanted);
    if (picture.length < wanted) return false;
    this.addPending(found, refreshFrames(picture));
    this.stream.skip(end - this.stream.position);
    this.toBoxEnd = undefined;
    return true;
  }

  private addPending({ keyFrames }: Scanned, references = 0): void {
    const { keyFrame } = this.pending ?? {};
    this.pending = undefined;
    if (keyFrame)
      keyFrames.push({ ...keyFrame, refreshFrames: framesShown(references, this.isReordered) });
  }

  private look(type: string, box: Buffer, found: Scanned): void {
    if (type === 'ftyp') this.fileType = Buffer.from(box);
    if (type === 'moov') {
      this.header = Buffer.concat([this.fileType, box]);
      this.track = readTrack(box, 'vide');
      this.audioTrack = readTrack(box, 'soun');
      if (isFragmented(box) && !this.track?.isInFragments) found.isBroken = true;
    }
    const audio = type === 'moof' && this.audioTrack && readFragment(box, this.audioTrack);
    if (audio) {
      found.audioPackets += audio.samples;
      found.heard = audio.shown?.to ?? found.heard;
    }
    const fragment = type === 'moof' && this.track && readFragment(box, this.track);
    if (!fragment) return;
    found.frames += fragment.samples;
    const { time, shown, isReordered, offset } = fragment;
    this.isReordered ||= isReordered;
    // The picture of the fragment before was not found.
    this.addPending(found);
    if (shown) found.shown = joinTimes(found.shown, shown);
    if (!this.header || time === undefined) return;
    const at = this.stream.position;
    const keyFrame = { at, time, prefix: Buffer.alloc(0), refreshFrames: 0 };
    this.pending = { keyFrame, pictureAt: at + offset };
    if (!this.track?.isH264) this.addPending(found);
  }
}
