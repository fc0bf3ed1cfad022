import { clientMessageSchema, type ClientMessage } from '@facecast/shared/protocol/ingest-protocol';
import { ProtocolError } from './protocol-error.js';

/**
 * Parses a text message of a publisher.
 * @throws {ProtocolError} if it is larger than `maxBytes`, no JSON, or not of the protocol
 */
export function readClientMessage(data: Buffer, maxBytes: number): ClientMessage {
  if (data.length > maxBytes) {
    throw new ProtocolError('too_large', 'A text message is larger than this server accepts.');
  }
  const result = clientMessageSchema.safeParse(parseJson(data));
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') || 'type';
  throw new ProtocolError('bad_message', `A text message is not of the protocol (see: ${where}).`);
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString());
  } catch {
    throw new ProtocolError('bad_message', 'A text message is not JSON.');
  }
}
