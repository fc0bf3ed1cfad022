import type { ClientMessage, Effect } from '@facecast/shared/protocol/ingest-protocol';
import type { Session } from './session.js';

/** What a page wants of the server when it connects. */
export interface Wanted {
  /** The session that goes on; undefined: a new one. */
  goesOn: Session | undefined;
  /** Of the media to come. */
  mimeType: string;
  effect: Effect;
  /** The publisher's; empty where none was entered. */
  token: string;
  /** Whether the server is to keep a recording. */
  record: boolean;
  /** Whether the publisher alone is to see it; then it is never recorded. */
  isPreview: boolean;
  /** The preview whose place the new session takes. */
  replaces: Session | undefined;
}

/** The first message of a connection. */
export function firstMessage(wanted: Wanted): Extract<ClientMessage, { type: 'start' | 'resume' }> {
  const { goesOn, mimeType, effect, token, record, isPreview, replaces } = wanted;
  if (goesOn) return { type: 'resume', ...ownOf(goesOn) };
  return {
    ...{ type: 'start', mimeType, effect },
    ...(token !== '' && { token }),
    ...(isPreview ? { visibility: 'private' } : { record }),
    ...(replaces && { replaces: ownOf(replaces) }),
  };
}

function ownOf({ sessionId, resumeToken }: Session) {
  return { sessionId, resumeToken };
}
