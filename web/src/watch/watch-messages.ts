import { problemSentence } from '../problem.js';
import type { ButtonFace } from './controls/labelled-button.js';
import type { Following } from './controls/seeking.js';
import { spokenTime } from './controls/time-words.js';
import type { ViewerDelay } from './viewer-delay.js';
import type { EndedState, WatchState } from './watch-state.js';

/**
 * The watch page's state in a few words.
 * @param delay set if the picture on the screen is late
 * @param following where the viewer of a live stream is
 */
export function watchStateWords(
  state: WatchState,
  delay?: ViewerDelay,
  following: Following = 'edge',
): string {
  if (state.name === 'live' && following === 'paused') return 'Paused';
  if (state.name === 'live' && following === 'behind') return 'Behind live';
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
      return 'This stream has ended.';
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

/** When an ended stream ended, how long it was, and what is left of it; times as this viewer's clock has them. */
export function endedNote({ sawItLive, isRecorded, endedAt, seconds }: EndedState): string {
  const when = endedAt === undefined ? '' : ` ${dayAndTime(endedAt)}`;
  const length = seconds === undefined ? '' : `, after ${spokenTime(seconds)}`;
  const thanks = sawItLive ? 'Thank you for watching. ' : '';
  const left = isRecorded
    ? 'Its recording can be played here.'
    : 'Its last moments can be played for a few minutes more.';
  return `The stream ended${when}${length}. ${thanks}${left}`;
}

function dayAndTime(ms: number): string {
  const date = new Date(ms);
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (date.toDateString() === new Date().toDateString()) return `at ${time}`;
  const day = date.toLocaleDateString('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
  });
  return `on ${day} at ${time}`;
}

export const PLAY: ButtonFace = { label: 'Play', symbol: 'symbol-play' };
export const PAUSE: ButtonFace = { label: 'Pause', symbol: 'symbol-pause' };
export const SOUND_ON: ButtonFace = { label: 'Sound on', symbol: 'symbol-silent' };
export const SOUND_OFF: ButtonFace = { label: 'Sound off', symbol: 'symbol-sound' };
export const FULL_SCREEN: ButtonFace = { label: 'Full screen', symbol: 'symbol-enlarge' };
export const LEAVE_FULL_SCREEN: ButtonFace = {
  label: 'Leave full screen',
  symbol: 'symbol-reduce',
};
export const PICTURE_IN_PICTURE: ButtonFace = {
  label: 'Picture in picture',
  symbol: 'symbol-small-window',
};
export const LEAVE_PICTURE_IN_PICTURE: ButtonFace = {
  label: 'Leave picture in picture',
  symbol: 'symbol-small-window',
};

/** Playback stands still, because nothing is there to be played yet. */
export const WAITING = 'Waiting for the picture';

/** The volume, as it is read to who does not see its slider; in percent. */
export function volumeWords(percent: number): string {
  return percent === 0 ? 'No sound' : `${percent} %`;
}

/** A place in a recording, as it is read to who does not see it; both in seconds. */
export function positionWords(played: number, whole: number): string {
  return `${spokenTime(played)} of ${spokenTime(whole)}`;
}

/** What the graph of a recording's faces shows; `counts` are the most at once in equally long stretches. */
export function recordedFacesWords(counts: readonly number[]): string {
  const most = Math.max(...counts);
  if (most === 0) return 'No face was found in the recording.';
  const percent = Math.round((100 * counts.filter((count) => count > 0).length) / counts.length);
  return `Faces in the recording: at most ${most} at once, and at least one in ${percent} % of it.`;
}
