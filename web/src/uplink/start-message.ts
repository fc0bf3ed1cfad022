import type { ClientMessage, Effect, Visibility } from '@facecast/shared/protocol/ingest-protocol';
import type { StartedSession } from './started-session.js';

export type StartMessage = Extract<ClientMessage, { type: 'start' }>;

/** A page's options for a new session. */
export interface StartWish {
  /** MIME type of the media. */
  mimeType: string;
  effect: Effect;
  /** The publish token; empty if none was entered. */
  token: string;
  /** Whether the server is to keep a recording. */
  record: boolean;
  visibility: Visibility;
  /** The preview that the new session replaces. */
  replaces: StartedSession | undefined;
}

/** The first message of a new session's connection. */
export function startMessage(wanted: StartWish): StartMessage {
  const { mimeType, effect, token, record, visibility, replaces } = wanted;
  return {
    ...{ type: 'start', mimeType, effect, record, visibility },
    ...(token !== '' && { token }),
    ...(replaces && {
      replaces: { sessionId: replaces.sessionId, resumeToken: replaces.resumeToken },
    }),
  };
}
