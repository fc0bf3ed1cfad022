import type { Skip } from './directives.js';

/** From this version on a playlist may have an EXT-X-SKIP (rfc8216bis 8). */
const SKIP_VERSION = 9;

/**
 * The Playlist Delta Update of a live playlist: one EXT-X-SKIP replaces the segments, with their tags, that
 * are older than the Skip Boundary (rfc8216bis 6.2.5.1, 4.4.5.2). The playlist itself if it has none so
 * old.
 *
 * @param skipUntil the Skip Boundary in seconds
 */
export function deltaUpdate(playlist: string, skipUntil: number, skip: Skip): string {
  const lines = playlist.split('\n');
  const start = lines.findIndex(isSegmentTag);
  const segments = segmentsOf(lines);
  let fromEnd = 0;
  let kept = segments.length;
  while (kept > 0 && fromEnd <= skipUntil + ROUNDING) fromEnd += segments[--kept]?.seconds ?? 0;
  const lastSkipped = segments[kept - 1];
  if (start < 0 || !lastSkipped) return playlist;
  // No date ranges are ever listed, so none was removed; version 2 requires that to be said.
  const removed = skip === 'v2' ? ',RECENTLY-REMOVED-DATERANGES=""' : '';
  return [
    ...lines.slice(0, start).map(withSkipVersion),
    `#EXT-X-SKIP:SKIPPED-SEGMENTS=${kept}${removed}`,
    ...lines.slice(lastSkipped.line + 1),
  ].join('\n');
}

/** Tolerance for rounding errors in sums of durations such as 0.1. */
const ROUNDING = 1e-6;

/** Tags that belong to the segment whose URI follows, and so go with it. */
const SEGMENT_TAGS =
  /^#(EXTINF|EXT-X-(BYTERANGE|DISCONTINUITY|KEY|MAP|PROGRAM-DATE-TIME|GAP|BITRATE|PART)(:|$))/;

function isSegmentTag(line: string): boolean {
  return SEGMENT_TAGS.test(line);
}

/** Each whole segment's duration, and the index of the line with its URI. */
function segmentsOf(lines: string[]): { line: number; seconds: number }[] {
  const segments: { line: number; seconds: number }[] = [];
  let seconds = 0;
  lines.forEach((text, line) => {
    if (text.startsWith('#EXTINF:')) seconds = Number.parseFloat(text.slice('#EXTINF:'.length));
    else if (text !== '' && !text.startsWith('#')) segments.push({ line, seconds });
  });
  return segments;
}

function withSkipVersion(line: string): string {
  const version = /^#EXT-X-VERSION:(\d+)/.exec(line)?.[1];
  return version === undefined ? line : `#EXT-X-VERSION:${Math.max(Number(version), SKIP_VERSION)}`;
}
