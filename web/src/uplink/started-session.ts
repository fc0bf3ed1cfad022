import type { ServerMessage } from '@facecast/shared/protocol/ingest-protocol';

/** The server's answer to `start`. */
export type StartedSession = Extract<ServerMessage, { type: 'started' }>;
