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

/** Lines of one segment; with `init`, another initialization section holds from this segment on. */
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

/** A segment of a recording, and where it is in the MP4. */
export interface ListedSegment extends ByteRange {
  firstFrame: number;
  frames: number;
  /** Where its initialization section is. */
  init: ByteRange;
}

/** The content of a recording's playlist, up to its last complete segment. */
interface ReadPlaylist {
  /** When the first frame was captured, in milliseconds since the epoch. */
  capturedAt: number;
  segments: ListedSegment[];
  /** Bytes of the text up to the end of the last segment. */
  textBytes: number;
}

const DATE = /#EXT-X-PROGRAM-DATE-TIME:(\S+)\n/;
const MAP = String.raw`#EXT-X-MAP:URI="[^"]+",BYTERANGE="(\d+)@(\d+)"\n`;
const SEGMENT = String.raw`#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\n\S+\n`;
const MAP_OR_SEGMENT = new RegExp(`${MAP}|${SEGMENT}`, 'g');

/** Reads back what the functions above wrote; the text may break off anywhere. */
export function readPlaylist(text: string, { fps }: Cadence): ReadPlaylist {
  const segments: ListedSegment[] = [];
  let textBytes = 0;
  let firstFrame = 0;
  let init: ByteRange = { offset: 0, bytes: 0 };
  for (const match of text.matchAll(MAP_OR_SEGMENT)) {
    const [whole, mapBytes, mapOffset, seconds, bytes, offset] = match;
    if (mapBytes !== undefined) {
      init = { offset: Number(mapOffset), bytes: Number(mapBytes) };
      continue;
    }
    const frames = Math.round(Number(seconds) * fps);
    segments.push({ offset: Number(offset), bytes: Number(bytes), firstFrame, frames, init });
    firstFrame += frames;
    textBytes = match.index + whole.length;
  }
  const capturedAt = Date.parse(DATE.exec(text)?.[1] ?? '') || 0;
  return { capturedAt, segments, textBytes };
}
