import { isFragmented, readFragment, readTrack, type Mp4Track } from './mp4-boxes.js';
import { ByteStream } from './byte-stream.js';
import { MAX_HEADER_BYTES, type Scanned, type Scanner } from './scanner.js';

/** Larger movie fragments (their sample tables, not the media) are not looked into. */
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

  push(bytes: Buffer): Scanned {
    const found: Scanned = { frames: 0, audioPackets: 0, keyFrames: [] };
    if (this.isLost) return found;
    this.stream.push(bytes);
    while (found.next === undefined && !this.isLost && this.readBox(found));
    this.stream.settle();
    return found;
  }

  /** Reads the box that begins here; false where it has not come as far as it is wanted. */
  private readBox(found: Scanned): boolean {
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
      // A size of 0 is a box that ends with the stream; less than its own head is none.
      this.isLost = true;
      return false;
    }
    const isWanted = size <= (type === 'moof' ? MAX_FRAGMENT_BYTES : MAX_HEADER_BYTES);
    if (isWanted && ['ftyp', 'moov', 'moof'].includes(type)) {
      const box = this.stream.peek(size);
      if (box.length < size) return false;
      this.look(type, box, found);
    }
    this.stream.skip(size);
    return true;
  }

  private look(type: string, box: Buffer, found: Scanned): void {
    if (type === 'ftyp') this.fileType = Buffer.from(box);
    if (type === 'moov') {
      this.header = Buffer.concat([this.fileType, box]);
      this.track = readTrack(box, 'vide');
      this.audioTrack = readTrack(box, 'soun');
      if (isFragmented(box) && !this.track?.isInFragments) found.isBroken = true;
    }
    if (type === 'moof' && this.audioTrack)
      found.audioPackets += readFragment(box, this.audioTrack)?.samples ?? 0;
    const fragment = type === 'moof' && this.track && readFragment(box, this.track);
    if (!fragment) return;
    found.frames += fragment.samples;
    const { time } = fragment;
    if (this.header && time !== undefined)
      found.keyFrames.push({ at: this.stream.position, time, prefix: Buffer.alloc(0) });
  }
}
