import type { ErrorCode } from '@facecast/shared/protocol/ingest-protocol';

/** Why a publisher is refused: code and message of the protocol's `error`. */
export class ProtocolError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/** The refusal if the maximum number of sessions run. */
export const TOO_MANY_SESSIONS = 'As many sessions run as this server can take.';
