import type { ErrorCode, ServerMessage } from '@facecast/shared/protocol/ingest-protocol';
import { WebSocket } from 'ws';

/** A client with more unsent bytes than this does not read, and is cut off. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** How long a client that is cut off may take to read why, in milliseconds. */
const CUT_OFF_MS = 250;

/** WebSocket close codes by error code (RFC 6455 7.4.1; 1013 from IANA's registry). */
const CLOSE_CODES: Record<ErrorCode, number> = {
  bad_message: 1008,
  unauthorized: 1008,
  origin_not_allowed: 1008,
  unsupported_media: 1003,
  too_large: 1009,
  too_many_sessions: 1013,
  not_found: 1008,
  overloaded: 1013,
  internal: 1011,
};

/** Errors to send when the WebSocket layer itself closes, by its close code. */
const PROTOCOL_ERRORS = new Map<number | undefined, [ErrorCode, string]>([
  [1002, ['bad_message', 'That is not the WebSocket protocol.']],
  [1007, ['bad_message', 'A text message is not UTF-8.']],
  [1009, ['too_large', 'A message is larger than this server accepts.']],
]);

/** The server's end of an `/ingest` connection. */
export class IngestSocket extends WebSocket {
  /** Whether anything came since this was last reset. */
  wasHeard = true;
  /** Called when the client is refused. */
  onRefused: ((code: ErrorCode, message: string) => void) | undefined;

  /** Sends a message, if the socket is open. */
  sendMessage(message: ServerMessage): void {
    if (this.readyState !== WebSocket.OPEN) return;
    if (this.bufferedAmount > MAX_BUFFERED_BYTES) return this.terminate();
    this.send(JSON.stringify(message));
  }

  /** Sends an error, then closes. */
  refuse(code: ErrorCode, message: string): void {
    this.sendError(code, message);
    this.goodbye(CLOSE_CODES[code]);
  }

  /** Sends an error, and reads nothing more. */
  cutOff(code: ErrorCode, message: string): void {
    this.sendError(code, message);
    super.close(CLOSE_CODES[code]);
    this.pause();
    setTimeout(() => this.terminate(), CUT_OFF_MS).unref();
  }

  /** Also called by the WebSocket layer when it cannot read on; then it sends the error first. */
  override close(code?: number, reason?: string | Buffer): void {
    const problem = PROTOCOL_ERRORS.get(code);
    if (problem) this.sendError(...problem);
    this.goodbye(code, reason);
  }

  private sendError(code: ErrorCode, message: string): void {
    this.onRefused?.(code, message);
    this.sendMessage({ type: 'error', code, message });
  }

  private goodbye(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    // Reading resumes, because the client's close must be read.
    this.resume();
  }
}
