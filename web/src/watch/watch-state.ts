import type { Problem } from '../problem.js';
import type { Ending } from './ending.js';

/** The stream is over. `sawItLive`: whether this page played it before its end. */
export type EndedState = { name: 'ended'; sawItLive: boolean } & Ending;

/** State of the watch page. */
export type WatchState =
  | { name: 'looking' }
  | { name: 'not_started' }
  | { name: 'live' }
  | EndedState
  | { name: 'missing' }
  /** The session is private, and the link has expired, was revoked, or is missing. */
  | { name: 'not_invited' }
  | { name: 'unreachable'; sawItLive: boolean }
  | { name: 'failed'; problem: Problem };

/** The result of one request for the session's state. */
export type SessionLook = 'starting' | 'live' | 'ended' | 'not_found' | 'not_allowed' | 'no_answer';

/** Time between requests for a session that has not begun, in milliseconds. */
const LOOK_BEFORE_START_MS = 2_000;
/** Time between requests for a live session, in milliseconds: as often as its stats change. */
const LOOK_WHILE_LIVE_MS = 1_000;
/** Time between requests to a server that does not answer, in milliseconds. */
const LOOK_UNREACHABLE_MS = 4_000;

/** States that no answer changes, except that the viewer may see the session no longer. */
const FINAL: WatchState['name'][] = ['ended', 'missing', 'not_invited', 'failed'];

/** The state after a request for the session's state. */
export function nextWatchState(
  state: WatchState,
  look: SessionLook,
  ending: Ending = { isRecorded: false },
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
      return { name: 'ended', sawItLive, ...ending };
    case 'not_found':
      return sawItLive ? { name: 'ended', sawItLive, ...ending } : { name: 'missing' };
    case 'no_answer':
      return { name: 'unreachable', sawItLive };
  }
}

/** Time until the next request, in milliseconds; undefined if nothing can change any more. */
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
