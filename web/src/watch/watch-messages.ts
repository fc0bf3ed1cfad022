import { problemSentence } from '../problem.js';
import type { ViewerDelay } from './viewer-delay.js';
import type { WatchState } from './watch-state.js';

/**
 * The watch page's state in a few words.
 * @param delay set if the picture on the screen is late
 */
export function watchStateWords(state: WatchState, delay?: ViewerDelay): string {
  if (state.name === 'live' && delay) return `Live, ${Math.round(delay.seconds)} s late`;
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

/** The sentence about why the picture is late; empty if it is in time. */
export function delayNote(delay: ViewerDelay | undefined): string {
  switch (delay?.cause) {
    case undefined:
      return '';
    case 'publisher':
      return 'The publisher’s connection is too slow for the picture.';
    case 'server':
      return 'The server is too busy.';
    case 'viewer':
      return 'That is how late it plays here: the stream itself is in time.';
    case 'unknown':
      return 'Nothing new comes: the publisher’s camera, the connection or the server stands still.';
  }
}

/** What the watch page's state means; empty if there is nothing to add. */
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
      return 'This stream is private: it needs a link that is still valid. Ask its publisher for one.';
    case 'unreachable':
      return 'The server does not answer. This page keeps trying.';
    case 'failed':
      return problemSentence(state.problem);
  }
}
