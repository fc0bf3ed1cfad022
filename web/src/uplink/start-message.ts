import type { ClientMessage, Effect } from '@facecast/shared/protocol/ingest-protocol';
import type { StartedSession } from './started-session.js';

export type StartMessage = Extract<ClientMessage, { type: 'start' }>;

/** What a page wants of a new session. */
export interface WantedSession {
  /** Of the media to come. */
  mimeType: string;
  effect: Effect;
  /** The publisher's; empty if none was entered. */
  token: string;
  /** Whether the server is to keep a recording. */
  record: boolean;
  /** Whether the publisher alone is to see it; then it is never recorded. */
  isPreview: boolean;
  /** The preview whose place the new session takes. */
  replaces: StartedSession | undefined;
}

/** The first message of a new session's connection. */
export function startMessage(wanted: WantedSession): StartMessage {
  const { mimeType, effect, token, record, isPreview, replaces } = wanted;
  return {
    ...{ type: 'start', mimeType, effect },
    ...(token !== '' && { token }),
    ...(isPreview ? { visibility: 'private' } : { record }),
    ...(replaces && {
      replaces: { sessionId: replaces.sessionId, resumeToken: replaces.resumeToken },
    }),
  };
}
