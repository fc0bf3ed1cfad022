import type { ProcessExit } from '@facecast/shared/runtime/child-process';
import type { SessionError } from '@facecast/shared/protocol/messages';

/** Every reason why decoding may end early: the public error code, and a sentence for the publisher. */
const FAILURES = {
  unknown_type: ['unsupported_media', 'Media of this type cannot be read.'],
  not_as_declared: ['unsupported_media', 'These bytes are not media of the declared type.'],
  no_picture: ['unsupported_media', 'No picture was found in the stream.'],
  unreadable: ['unsupported_media', 'The stream could not be read on.'],
  ffmpeg_died: ['internal', 'The decoder died again and again at the same place in the stream.'],
  ffmpeg_stalled: [
    'internal',
    'The decoder stopped working again and again at the same place in the stream.',
  ],
  sound_died: ['internal', 'The audio decoder died.'],
  sound_stalled: ['internal', 'The audio decoder stopped working.'],
  picture_changed: ['internal', 'The decoder could not follow a change of the picture.'],
  interlaced: ['internal', 'The decoder could not make interlaced pictures progressive.'],
  hdr: ['internal', 'The decoder could not make HDR pictures SDR ones.'],
  lost_chunk: ['internal', 'A piece of the stream was lost on the way.'],
  no_way_back: [
    'internal',
    'The decoder was lost, and the stream had no key frame for too long to be resumed.',
  ],
  batch_missing: [
    'internal',
    'Pictures were lost, and so was the part of the stream from which they could be made again.',
  ],
  no_room: ['internal', 'The server has no room left for this stream.'],
  given_up: ['internal', 'The stream could not be decoded: something is wrong with the server.'],
} as const satisfies Record<string, [SessionError['code'], string]>;

/** Failures after which another ffmpeg may resume the input stream at a key frame. */
const INTERRUPTIONS = [
  'ffmpeg_died',
  'ffmpeg_stalled',
  'sound_died',
  'sound_stalled',
  'picture_changed',
  'interlaced',
  'hdr',
] as const;
export type Interruption = (typeof INTERRUPTIONS)[number];

export function isInterruption(reason: FailureReason): reason is Interruption {
  return (INTERRUPTIONS as readonly string[]).includes(reason);
}

export type FailureReason = keyof typeof FAILURES;

/** The error that the publisher of a failed session is sent. */
export function sessionError(reason: FailureReason): SessionError {
  const [code, message] = FAILURES[reason];
  return { code, message };
}

/** A session's input cannot be decoded any further. `cause` is how its ffmpeg ended. */
export class DecodeFailure extends Error {
  constructor(
    readonly reason: FailureReason,
    override readonly cause: ProcessExit,
  ) {
    super(FAILURES[reason][1]);
    this.name = 'DecodeFailure';
  }
}
