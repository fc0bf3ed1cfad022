import type { WantedEdit } from '@facecast/shared/protocol/recording-folder';
import { askOwn, type OwnSession } from './own-session.js';

/** State of one's own recording. Times are seconds from its beginning. */
export interface RecordingStatus {
  /** The last change of it; while it is `pending` or `failed`, only the owner may fetch the recording. */
  state: 'none' | 'pending' | 'done' | 'failed';
  seconds: number;
  clearSeconds: number;
  /** The stretches in which faces are not hidden. */
  clear: { from: number; to: number }[];
  /** The largest possible `cutBefore`. */
  lastCut: number;
}

/** Asks for the recording's state. Rejects if there is no recording (any more). */
export async function recordingStatus(session: OwnSession): Promise<RecordingStatus> {
  const answer = await askOwn(session, '/recording/edits', 'GET');
  return (await answer.json()) as RecordingStatus;
}

/** Orders an edit of the recording; resolves when it is accepted. */
export async function editRecording(
  session: OwnSession,
  edit: WantedEdit,
): Promise<RecordingStatus> {
  const answer = await askOwn(session, '/recording/edits', 'POST', edit);
  return (await answer.json()) as RecordingStatus;
}
