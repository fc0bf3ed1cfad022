import { LATE_SECONDS } from '../play/latency.js';
import { problemSentence } from '../problem.js';
import type { WatchState } from './watch-state.js';

/**
 * The viewers' page's state in a word or some.
 * @param lateSeconds how late the picture on the screen is, where that is known
 */
export function watchStateWords(state: WatchState, lateSeconds = 0): string {
  if (state.name === 'live' && lateSeconds >= LATE_SECONDS)
    return `Live, ${Math.round(lateSeconds)} s late`;
  return {
    looking: 'Looking for the stream',
    not_started: 'Not started yet',
    live: 'Live',
    ended: 'Ended',
    missing: 'No such stream',
    not_invited: 'Private stream',
    unreachable: 'Server out of reach',
    failed: 'Failed',
  }[state.name];
}

/** What the viewers' page's state means; empty where there is nothing to add. */
export function watchStateNote(state: WatchState): string {
  switch (state.name) {
    case 'looking':
    case 'live':
      return '';
    case 'not_started':
      return 'The stream is about to begin. It plays here by itself.';
    case 'ended':
      if (state.sawItLive) return 'This stream has ended. Thank you for watching.';
      return state.isRecorded
        ? 'This stream has ended. This is its recording.'
        : 'This stream has ended. Its last moments can be played for a few minutes more.';
    case 'missing':
      return 'There is no stream at this address: it never was, or it ended a while ago.';
    case 'not_invited':
      return 'This stream is private: it takes a link that is still good. Ask whoever publishes it for one.';
    case 'unreachable':
      return 'The server does not answer. This page keeps trying.';
    case 'failed':
      return problemSentence(state.problem);
  }
}
