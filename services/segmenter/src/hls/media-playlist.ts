import type { Cadence } from '@facecast/shared/runtime/settings';
import { parse, setOptions, types } from 'hls-parser';

/**
 * The text of `live.m3u8`. Section numbers are of draft-pantos-hls-rfc8216bis-22; gateways make the
 * shorter delta updates out of this one.
 */

/** One partial segment: one batch. Only a segment's first part begins with a key frame. */
interface Part {
  uri: string;
  frames: number;
}

/** A segment; the newest may still be growing. */
export interface Segment {
  msn: number;
  uri: string;
  /** Name of its initialization section. */
  init: string;
  /** Whether another encoder made it than the segment before it. */
  discontinuity: boolean;
  /** When its first frame was captured, in milliseconds since the epoch. */
  capturedAt: number;
  frames: number;
  /** The parts that are still listed. */
  parts: Part[];
  complete: boolean;
}

/** The content of a media playlist. */
export interface MediaPlaylist {
  segments: readonly Segment[];
  /** Discontinuities that have left the playlist (4.4.3.3). */
  discontinuitySequence: number;
  ended: boolean;
}

// The parser's remarks would go to stdout, among the log's lines of JSON.
setOptions({ silent: true });

/** PART-HOLD-BACK in part targets: SHOULD be at least three (4.4.3.8). */
const PART_HOLD_BACK_TARGETS = 3;
/** HOLD-BACK in target durations: MUST be at least three (4.4.3.8). */
const HOLD_BACK_TARGETS = 3;
/** CAN-SKIP-UNTIL in target durations: MUST be at least six (4.4.3.8). */
export const SKIP_TARGETS = 6;
/** EXT-X-VERSION: EXT-X-MAP needs 6, and low latency needs no more (8). */
const VERSION = 6;

/** Target duration: whole seconds that no segment exceeds (4.4.3.1). */
export function targetSeconds({ fps, framesPerSegment }: Cadence): number {
  return Math.ceil(framesPerSegment / fps);
}

/**
 * Media sequence number of the first segment (4.4.3.2). Not 0, which hls.js takes for none: it would load
 * that segment's parts again and again.
 */
export const FIRST_MSN = 1;

/** Place of the next part, which the playlist hints at. */
export function nextPart({ segments }: Pick<MediaPlaylist, 'segments'>): {
  msn: number;
  part: number;
} {
  const last = segments.at(-1);
  if (!last) return { msn: FIRST_MSN, part: 0 };
  return last.complete
    ? { msn: last.msn + 1, part: 0 }
    : { msn: last.msn, part: last.parts.length };
}

export const partName = ({ msn, part }: { msn: number; part: number }) => `${msn}.${part}.m4s`;
export const segmentName = (msn: number) => `${msn}.m4s`;
export const initName = (n: number) => `init-${n}.mp4`;

/** The playlist's text. */
export function renderPlaylist(playlist: MediaPlaylist, cadence: Cadence): string {
  const seconds = (frames: number) => (frames / cadence.fps).toFixed(5);
  const target = targetSeconds(cadence);
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${VERSION}`,
    `#EXT-X-TARGETDURATION:${target}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES' +
      `,PART-HOLD-BACK=${seconds(PART_HOLD_BACK_TARGETS * cadence.framesPerBatch)}` +
      `,HOLD-BACK=${(HOLD_BACK_TARGETS * target).toFixed(1)}` +
      `,CAN-SKIP-UNTIL=${(SKIP_TARGETS * target).toFixed(1)}`,
    `#EXT-X-PART-INF:PART-TARGET=${seconds(cadence.framesPerBatch)}`,
    `#EXT-X-MEDIA-SEQUENCE:${playlist.segments[0]?.msn ?? FIRST_MSN}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${playlist.discontinuitySequence}`,
  ];
  let init: string | undefined;
  for (const segment of playlist.segments) {
    if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.init !== init) lines.push(`#EXT-X-MAP:URI="${segment.init}"`);
    init = segment.init;
    const date = new Date(Math.round(segment.capturedAt));
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${date.toISOString()}`);
    // After the end whole segments suffice. And hls.js would wait for ever for the last part's audio, which
    // ends before its video.
    if (!playlist.ended)
      segment.parts.forEach(({ uri, frames }, index) => {
        const independent = index === 0 ? ',INDEPENDENT=YES' : '';
        lines.push(`#EXT-X-PART:DURATION=${seconds(frames)},URI="${uri}"${independent}`);
      });
    if (segment.complete) lines.push(`#EXTINF:${seconds(segment.frames)},`, segment.uri);
  }
  lines.push(
    playlist.ended
      ? '#EXT-X-ENDLIST'
      : `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${partName(nextPart(playlist))}"`,
  );
  return lines.join('\n') + '\n';
}

/**
 * Reads back what `renderPlaylist` wrote.
 * @throws where `text` is no media playlist
 */
export function parsePlaylist(text: string, { fps }: Cadence): MediaPlaylist {
  const parsed = parse(text) as types.MediaPlaylist;
  const frames = (seconds: number | undefined) => Math.round((seconds ?? 0) * fps);
  let init = '';
  const segments = parsed.segments
    // A hint after a whole segment is read as the beginning of the next.
    .filter(({ uri, parts }) => uri || parts.some((part) => !part.hint))
    .map((segment): Segment => {
      const parts = segment.parts
        .filter((part) => !part.hint)
        .map((part) => ({ uri: part.uri, frames: frames(part.duration) }));
      const complete = Boolean(segment.uri);
      // The last map still holds; the parser omits it for a growing segment.
      init = (segment as Partial<types.Segment>).map?.uri ?? init;
      return {
        msn: segment.mediaSequenceNumber,
        uri: segmentName(segment.mediaSequenceNumber),
        init,
        discontinuity: segment.discontinuity ?? false,
        capturedAt: segment.programDateTime?.getTime() ?? 0,
        frames: complete
          ? frames(segment.duration)
          : parts.reduce((sum, part) => sum + part.frames, 0),
        parts,
        complete,
      };
    });
  return {
    segments,
    discontinuitySequence: parsed.discontinuitySequenceBase ?? 0,
    ended: parsed.endlist,
  };
}
