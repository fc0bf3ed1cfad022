import type { Problem } from '../problem.js';

/**
 * Where a viewer stands. `sawItLive` says whether this page played the stream before its end,
 * `isRecorded` whether there is a recording of it.
 */
export type WatchState =
  | { name: 'looking' }
  | { name: 'not_started' }
  | { name: 'live' }
  | { name: 'ended'; sawItLive: boolean; isRecorded: boolean }
  | { name: 'missing' }
  /** Private, and the link has run out, was revoked, or never was. */
  | { name: 'not_invited' }
  | { name: 'unreachable'; sawItLive: boolean }
  | { name: 'failed'; problem: Problem };

/** What one look at the session brought. */
export type SessionLook = 'starting' | 'live' | 'ended' | 'not_found' | 'not_allowed' | 'no_answer';

/** Between two looks at a session that has not begun, in milliseconds. */
const LOOK_BEFORE_START_MS = 2_000;
/** Between two looks at a live session, in milliseconds: as often as its figures change. */
const LOOK_WHILE_LIVE_MS = 1_000;
/** Between two looks at a server that does not answer, in milliseconds. */
const LOOK_UNREACHABLE_MS = 4_000;

/** States that no look changes, but one that may not be taken any more. */
const FINAL: WatchState['name'][] = ['ended', 'missing', 'not_invited', 'failed'];

/** The state after a look at the session, and at whether there is a recording of it. */
export function nextWatchState(
  state: WatchState,
  look: SessionLook,
  isRecorded = false,
): WatchState {
  if (look === 'not_allowed') return { name: 'not_invited' };
  if (FINAL.includes(state.name)) return state;
  const sawItLive = state.name === 'live' || (state.name === 'unreachable' && state.sawItLive);
  switch (look) {
    case 'starting':
      return { name: 'not_started' };
    case 'live':
      return { name: 'live' };
    case 'ended':
      return { name: 'ended', sawItLive, isRecorded };
    case 'not_found':
      return sawItLive ? { name: 'ended', sawItLive, isRecorded } : { name: 'missing' };
    case 'no_answer':
      return { name: 'unreachable', sawItLive };
  }
}

/** How long until the next look, in milliseconds; undefined where there is nothing to wait for. */
export function nextLookInMs(state: WatchState): number | undefined {
  switch (state.name) {
    case 'looking':
    case 'not_started':
      return LOOK_BEFORE_START_MS;
    case 'live':
      return LOOK_WHILE_LIVE_MS;
    case 'unreachable':
      return LOOK_UNREACHABLE_MS;
    case 'ended':
    case 'missing':
    case 'not_invited':
    case 'failed':
      return undefined;
  }
}
