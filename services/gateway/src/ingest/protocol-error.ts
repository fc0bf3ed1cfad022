import type { ErrorCode } from '@facecast/shared/protocol/ingest-protocol';

/** Why a publisher is turned away: the code and the words of the protocol's `error` message. */
export class ProtocolError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/** What a publisher is told when as many sessions run as may. */
export const TOO_MANY_SESSIONS = 'As many sessions run as this server can take.';
