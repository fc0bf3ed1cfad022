import type { SessionError } from '@facecast/shared/messages';

/** Why a session's input cannot be decoded (on); the message is for its publisher. */
export class DecodeFailure extends Error {
  constructor(
    readonly code: SessionError['code'],
    message: string,
  ) {
    super(message);
    this.name = 'DecodeFailure';
  }

  get sessionError(): SessionError {
    return { code: this.code, message: this.message };
  }
}
