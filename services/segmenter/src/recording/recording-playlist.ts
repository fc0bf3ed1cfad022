import { RECORDING_FILES } from '@facecast/shared/protocol/recording-folder';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { FIRST_MSN, targetSeconds } from '../hls/media-playlist.js';

/**
 * The text of `recording.m3u8`: a playlist of the type EVENT, to which lines are only ever added, so
 * that a stream of many hours costs no more a second than a short one. Its segments are byte ranges of
 * the recording's one MP4. Section numbers are of draft-pantos-hls-rfc8216bis-22.
 */

/** A stretch of the recording's MP4, in bytes. */
export interface ByteRange {
  offset: number;
  bytes: number;
}

/** EXT-X-MAP in a playlist of whole segments asks for 6 (8). */
const VERSION = 6;
const MEDIA = RECORDING_FILES.media;
export const END = '#EXT-X-ENDLIST\n';

export function renderHeader(cadence: Cadence, capturedAt: number): string {
  return (
    [
      '#EXTM3U',
      `#EXT-X-VERSION:${VERSION}`,
      `#EXT-X-TARGETDURATION:${targetSeconds(cadence)}`,
      '#EXT-X-PLAYLIST-TYPE:EVENT',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      `#EXT-X-MEDIA-SEQUENCE:${FIRST_MSN}`,
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(capturedAt)).toISOString()}`,
    ].join('\n') + '\n'
  );
}

/** `init` is given where another initialization section than before holds from this segment on. */
export function renderSegment(
  segment: ByteRange & { frames: number },
  { fps }: Cadence,
  init?: ByteRange & { isFirst: boolean },
): string {
  const map = init && `#EXT-X-MAP:URI="${MEDIA}",BYTERANGE="${init.bytes}@${init.offset}"\n`;
  return (
    (init && !init.isFirst ? '#EXT-X-DISCONTINUITY\n' : '') +
    (map ?? '') +
    `#EXTINF:${(segment.frames / fps).toFixed(5)},\n` +
    `#EXT-X-BYTERANGE:${segment.bytes}@${segment.offset}\n${MEDIA}\n`
  );
}

/** What a playlist of a recording says, as far as it was written whole. */
export interface ReadPlaylist {
  segments: number;
  frames: number;
  /** Where the last segment ends in the MP4; 0 where there is none. */
  mediaEnd: number;
  /** The initialization section of the last segment. */
  init: ByteRange | undefined;
  /** Bytes of the text up to the end of the last segment. */
  textBytes: number;
}

const SEGMENT = /#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\S+)\n/g;
const MAP = /#EXT-X-MAP:URI="[^"]+",BYTERANGE="(\d+)@(\d+)"\n/g;

/** Reads back what the functions above wrote; the text may break off anywhere. */
export function readPlaylist(text: string, { fps }: Cadence): ReadPlaylist {
  const read: ReadPlaylist = {
    ...{ segments: 0, frames: 0, mediaEnd: 0, init: undefined, textBytes: 0 },
  };
  for (const match of text.matchAll(SEGMENT)) {
    const [whole, seconds, bytes, offset] = match;
    read.segments++;
    read.frames += Math.round(Number(seconds) * fps);
    read.mediaEnd = Number(offset) + Number(bytes);
    read.textBytes = match.index + whole.length;
  }
  // One whose segment was not written any more is of no use.
  const map = [...text.slice(0, read.textBytes).matchAll(MAP)].at(-1);
  if (map) read.init = { bytes: Number(map[1]), offset: Number(map[2]) };
  return read;
}
