import type { Directives, Malformed } from './directives.js';
import type { PlaylistState } from './playlist-state.js';

/**
 * The decision on a request: answer it now, hold it until the playlist changes, or refuse it. Section
 * numbers in this file are those of rfc8216bis.
 */
export type Decision = { kind: 'now' } | { kind: 'wait' } | { kind: 'refuse'; message: string };

const NOW: Decision = { kind: 'now' };
const WAIT: Decision = { kind: 'wait' };
const refuse = (message: string): Decision => ({ kind: 'refuse', message });

/** A request may name a media sequence number at most this far past the last one (6.2.5.2). */
const MAX_SEGMENTS_AHEAD = 2;
/** Parts shorter than a second may be asked for at most this far past the last one (6.2.5.2). */
const ADVANCE_PART_SECONDS = 3;
/** Parts of a second or more may be asked for at most this many past the last one (6.2.5.2). */
const ADVANCE_LONG_PARTS = 3;

/** Decides on a request for the playlist; a refusal means Bad Request (6.2.5.2). */
export function decidePlaylist(state: PlaylistState, directives: Directives | Malformed): Decision {
  if (state.ended) return NOW;
  if (directives === 'malformed') return refuse('_HLS_msn and _HLS_part are decimal integers.');
  const { msn, part } = directives;
  if (msn === undefined) {
    return part === undefined ? NOW : refuse('_HLS_part is of no use without _HLS_msn.');
  }
  if (msn > state.lastMsn + MAX_SEGMENTS_AHEAD || isPartTooFar(state, msn, part)) {
    return refuse('That is too far ahead of the end of the playlist.');
  }
  return isListed(state, msn, part) ? NOW : WAIT;
}

/**
 * Decides on a request for a media file that does not exist: only the hinted part is held (4.4.5.3, 6.2.6).
 */
export function decideMissingFile(state: PlaylistState, name: string): Decision {
  return !state.ended && state.hintedPart === name ? WAIT : NOW;
}

function isListed(state: PlaylistState, msn: number, part: number | undefined): boolean {
  if (part === undefined || msn < state.lastMsn) return msn <= state.lastMsn;
  // A part past the last of its segment means the first of the next.
  if (msn === state.lastMsn) return part < state.partsOfLast || state.openParts > 0;
  return msn === state.lastMsn + 1 && part < state.openParts;
}

function isPartTooFar(state: PlaylistState, msn: number, part: number | undefined): boolean {
  if (part === undefined || msn <= state.lastMsn) return false;
  const { partTarget = state.targetDuration } = state;
  const limit = partTarget < 1 ? ADVANCE_PART_SECONDS / partTarget : ADVANCE_LONG_PARTS;
  const partsASegment = state.partsOfLast || Math.ceil(state.targetDuration / partTarget);
  const segmentsAhead = msn - (state.lastMsn + 1);
  const partsAhead = segmentsAhead * partsASegment + part - (state.openParts - 1);
  return partsAhead > limit + ROUNDING;
}

/** In floating point, 3 / 0.1 is a little less than 30: the thirtieth part is still allowed. */
const ROUNDING = 1e-9;
