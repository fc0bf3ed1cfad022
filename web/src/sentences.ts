import type { Problem } from './problem.js';
import type { PublishState } from './publish-state.js';
import type { Reduction } from './reduction.js';
import type { WatchState } from './watch-state.js';

const PROBLEM_SENTENCES: Record<Problem, string> = {
  no_camera: 'No camera was found. Plug one in, or share a screen or a file instead.',
  no_camera_or_microphone:
    'No camera was found, or no microphone. Plug one in, or press Start again without sound.',
  permission_refused:
    'The browser was not allowed to use what you want to share. Allow it in the address bar, then press Start again.',
  camera_busy:
    'The camera is in use by another program. Close that program, then press Start again.',
  insecure_context:
    'Browsers give cameras and screens only to pages opened over https or on this same computer. Open this page that way, or share a file.',
  screen_refused: 'No screen was shared. Press Start again and choose a screen or a window.',
  screen_unsupported: 'This browser cannot share a screen. Use a camera or a file instead.',
  no_file: 'Choose a video file first.',
  file_unplayable: 'This browser cannot play that file. An MP4 or WebM video usually works.',
  file_capture_unsupported:
    'This browser cannot send a file. Use Chrome, Edge or Firefox, or share a camera instead.',
  recording_unsupported:
    'This browser cannot record video. Use a current Chrome, Edge, Firefox or Safari.',
  recording_failed:
    'The browser stopped recording, so the stream ended. Press Start to begin again.',
  source_failed: 'The picture could not be opened. Try again, or choose another source.',
  unreachable: 'The server could not be reached. Check the connection, then press Start again.',
  connection_lost:
    'The connection was lost and did not come back in time, so the stream ended. Press Start to begin a new one.',
  session_gone:
    'The connection was lost and the server has since ended the stream. Press Start to begin a new one.',
  uplink_too_slow:
    'The connection is too slow to send this picture, so the stream was stopped. Try a faster network.',
  end_unconfirmed:
    'The stream was stopped, but the server did not confirm that its end can be watched.',
  playback_unsupported: 'This browser cannot play live streams. Use a current one.',
  playback_failed: 'The stream could not be played any further. Reload the page to try again.',
  bad_message: 'The server did not understand this page. Reload the page, then try again.',
  unauthorized: 'This server asks publishers for a token. Enter it, then press Start again.',
  origin_not_allowed: 'This server does not accept streams from this address.',
  unsupported_media:
    'The server could not read what this browser recorded. Try another source or browser.',
  too_large: 'The picture needs more data than the server accepts. Choose a smaller source.',
  too_many_sessions:
    'The server is full: no more streams can start now. Try again in a few minutes.',
  not_found: 'The server does not know this stream any more. Press Start to begin a new one.',
  overloaded: 'The server has too much to do just now. Try again in a minute.',
  internal: 'Something went wrong on the server, and the stream ended. Press Start to begin again.',
};

/** One plain sentence or two for a person: what happened and what can be done. */
export function problemSentence(problem: Problem): string {
  return PROBLEM_SENTENCES[problem];
}

/** A server's error code as a problem of ours; a code from a newer server counts as internal. */
export function problemOfCode(code: string): Problem {
  return Object.hasOwn(PROBLEM_SENTENCES, code) ? (code as Problem) : 'internal';
}

/** The publish page's state in a word or three. */
export function publishStateWords(state: PublishState): string {
  switch (state.name) {
    case 'idle':
      return 'Idle';
    case 'asking':
      return {
        camera: 'Asking for the camera',
        screen: 'Asking for a screen',
        file: 'Opening the file',
      }[state.source];
    case 'connecting':
      return 'Connecting';
    case 'starting':
      return 'Starting';
    case 'live':
      return 'Live';
    case 'reconnecting':
      return 'Reconnecting';
    case 'ending':
      return 'Ending';
    case 'ended':
      return 'Ended';
    case 'failed':
      return 'Failed';
  }
}

/**
 * What the publish page's state means for the person at it; empty where the problem says it.
 *
 * @param reduction where less than the best picture is sent
 */
export function publishStateNote(state: PublishState, reduction?: Reduction): string {
  switch (state.name) {
    case 'idle':
      return 'Nothing is sent until you press Start.';
    case 'asking':
      return state.source === 'file' ? '' : 'Your browser asks whether this page may use it.';
    case 'connecting':
      return 'Waiting for the server to answer.';
    case 'starting':
      return 'The first pictures are on their way.';
    case 'live':
      return reduction ? reductionSentence(reduction) : 'Everyone with the link can watch.';
    case 'reconnecting':
      return 'What is recorded meanwhile is kept, to be sent.';
    case 'ending':
      return 'The last pictures are still being processed.';
    case 'ended':
      return `${state.sourceRanOut ? 'The source stopped, so the stream ended' : 'The stream ended'} after ${frames(state.frames)}.`;
    case 'failed':
      return '';
  }
}

/** How it stands with a session's recording. */
export type RecordingStanding =
  'on' | 'refused' | 'stopped' | 'kept' | 'cut short' | 'deleted' | 'not ended' | 'not deleted';

/** What the publish page says of it; `keptHours` after the end it is gone. */
export function recordingNote(standing: RecordingStanding, keptHours: number): string {
  const forHours = keptHours === 1 ? 'for an hour' : `for ${keptHours} hours`;
  switch (standing) {
    case 'on':
      return `Being recorded, as viewers see it. Kept ${forHours} after the end, for everyone with the link.`;
    case 'refused':
      return 'Not recorded: this server keeps no recordings.';
    case 'stopped':
      return 'The recording has ended: the server has no more room for it. The stream goes on.';
    case 'kept':
      return `The recording is kept ${forHours}, for everyone with the link.`;
    case 'cut short':
      return `The recording ends early: the server had no more room. It is kept ${forHours}.`;
    case 'deleted':
      return 'The recording is deleted.';
    case 'not ended':
      return 'The stream is still ending. Try again in a moment.';
    case 'not deleted':
      return 'The recording could not be deleted. Try again.';
  }
}

/** The viewers' page's state in a word or three. */
export function watchStateWords(state: WatchState): string {
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

function reductionSentence({ shape, hindrance }: Reduction): string {
  const picture =
    shape && shape.height > 0 && shape.frameRate > 0
      ? `${shape.height}p at ${shape.frameRate} fps`
      : 'a coarser picture';
  const why = { connection: 'the connection is slow', server: 'the server is busy' }[hindrance];
  return `Sending ${picture}: ${why}.`;
}

function frames(count: number): string {
  return count === 1 ? '1 picture' : `${count.toLocaleString('en')} pictures`;
}
