import type { ErrorCode } from '@facecast/shared/protocol/ingest-protocol';

/** What can go wrong on this side, by cause. */
export type LocalProblem =
  | 'no_camera'
  | 'no_camera_or_microphone'
  | 'permission_refused'
  | 'camera_busy'
  | 'insecure_context'
  | 'screen_refused'
  | 'screen_unsupported'
  | 'no_file'
  | 'file_unplayable'
  | 'file_without_video'
  | 'file_capture_unsupported'
  | 'recording_unsupported'
  | 'recording_failed'
  | 'source_failed'
  | 'unreachable'
  | 'connection_lost'
  | 'session_gone'
  | 'preview_failed'
  | 'uplink_too_slow'
  | 'end_unconfirmed'
  | 'playback_unsupported'
  | 'playback_failed';

/** What can go wrong, here or (the ingest protocol's error codes) on the server. */
export type Problem = LocalProblem | ErrorCode;

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
  file_without_video:
    'This browser finds no video in that file, only sound. Choose one with video: an MP4 or WebM usually works.',
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
  preview_failed:
    'The server did not show the preview, so nothing went live. Press Start to try again.',
  uplink_too_slow:
    'The connection is too slow to send this picture, so the stream was stopped. Try a faster network.',
  end_unconfirmed:
    'The stream was stopped, but the server did not confirm that its end can be watched.',
  playback_unsupported: 'This browser cannot play live streams. Use a current one.',
  playback_failed: 'The stream could not be played any further. Reload the page to try again.',
  bad_message: 'The server did not understand this page. Reload the page, then try again.',
  unauthorized: 'This server asks publishers for a token. Enter it, then press Start again.',
  origin_not_allowed:
    'This server does not accept streams from this address. If you run it, its log names the setting to change.',
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
