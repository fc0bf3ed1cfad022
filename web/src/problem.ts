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
  | 'file_capture_unsupported'
  | 'recording_unsupported'
  | 'recording_failed'
  | 'source_failed'
  | 'unreachable'
  | 'connection_lost'
  | 'session_gone'
  | 'uplink_too_slow'
  | 'end_unconfirmed'
  | 'playback_unsupported'
  | 'playback_failed';

/** What can go wrong, here or (the ingest protocol's error codes) on the server. */
export type Problem = LocalProblem | ErrorCode;
