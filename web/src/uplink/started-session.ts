import type { ServerMessage } from '@facecast/shared/protocol/ingest-protocol';

/** What the server told about the session that it started. */
export type StartedSession = Extract<ServerMessage, { type: 'started' }>;
