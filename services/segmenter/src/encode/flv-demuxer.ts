/** What an FLV stream holds of its H.264 track, in order. */
export type VideoTag =
  /** The decoder's configuration, once before the first frame: an `avcC` box's content. */
  | { kind: 'config'; avcC: Buffer }
  /** One picture as length-prefixed NAL units; `key` where decoding can begin with it. */
  | { kind: 'frame'; key: boolean; data: Buffer };

/** The bytes are not FLV with H.264 in it. */
export class FlvError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FlvError';
  }
}

/**
 * Parses an FLV byte stream as it arrives: each picture comes out with its last byte. Holds at most one
 * tag that is not whole yet.
 *
 * Sources: Adobe Flash Video File Format Specification 10.1, annex E.2 (header), E.4.1 (tags), E.4.3
 * (video tags); the configuration and the pictures are as in ISO/IEC 14496-15.
 */
export class FlvDemuxer {
  private rest: Buffer = Buffer.alloc(0);
  private headerSeen = false;

  /**
   * The tags that `bytes` completes.
   * @throws {FlvError}
   */
  push(bytes: Buffer): VideoTag[] {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const tags: VideoTag[] = [];
    if (!this.headerSeen && !this.takeHeader()) return tags;
    for (let tag = this.takeTag(); tag; tag = this.takeTag()) {
      const video = tag.type === VIDEO_TAG ? readVideoTag(tag.data) : undefined;
      if (video) tags.push(video);
    }
    return tags;
  }

  private takeHeader(): boolean {
    if (this.rest.length < HEADER_BYTES + TRAILER_BYTES) return false;
    if (this.rest.toString('latin1', 0, 3) !== 'FLV') throw new FlvError('not an FLV stream');
    this.rest = this.rest.subarray(HEADER_BYTES + TRAILER_BYTES);
    this.headerSeen = true;
    return true;
  }

  private takeTag(): { type: number; data: Buffer } | undefined {
    if (this.rest.length < TAG_HEADER_BYTES) return undefined;
    const size = this.rest.readUIntBE(1, 3);
    if (size > MAX_TAG_BYTES) throw new FlvError(`a tag of ${size} bytes`);
    const end = TAG_HEADER_BYTES + size;
    if (this.rest.length < end + TRAILER_BYTES) return undefined;
    const tag = {
      type: this.rest.readUInt8(0) & 0x1f,
      data: this.rest.subarray(TAG_HEADER_BYTES, end),
    };
    this.rest = this.rest.subarray(end + TRAILER_BYTES);
    return tag;
  }
}

const HEADER_BYTES = 9;
const TAG_HEADER_BYTES = 11;
/** Each tag, and the header, is followed by the size of the tag before. */
const TRAILER_BYTES = 4;
/** A picture is smaller than its raw planes: 3.1 MB for 1920x1080. */
const MAX_TAG_BYTES = 4 * 1024 * 1024;

const VIDEO_TAG = 9;
const CODEC_AVC = 7;
const KEY_FRAME = 1;
const AVC_CONFIG = 0;
const AVC_PICTURE = 1;
/** Frame type and codec, packet type, composition time. */
const VIDEO_HEADER_BYTES = 5;

function readVideoTag(data: Buffer): VideoTag | undefined {
  if (data.length < VIDEO_HEADER_BYTES) throw new FlvError('a video tag without a header');
  const first = data.readUInt8(0);
  if ((first & 0x0f) !== CODEC_AVC) throw new FlvError('video that is not H.264');
  const content = data.subarray(VIDEO_HEADER_BYTES);
  switch (data.readUInt8(1)) {
    case AVC_CONFIG:
      return { kind: 'config', avcC: content };
    case AVC_PICTURE:
      return { kind: 'frame', key: first >> 4 === KEY_FRAME, data: content };
    default:
      return undefined;
  }
}
