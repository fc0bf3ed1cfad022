import { KEY_PREFIX } from './redis.js';

/** Set of the ids of all running sessions. */
export const SESSIONS_KEY = `${KEY_PREFIX}:sessions`;

/** Hash of a running session; exists until the session is over. */
export const sessionKey = (id: string) => `${KEY_PREFIX}:session:${id}`;
/** Exists while the publisher is connected, or expected back. */
export const publisherKey = (id: string) => `${KEY_PREFIX}:publisher:${id}`;
/** Bytes of chunk `n`. */
export const chunkKey = (id: string, n: number) => `${KEY_PREFIX}:chunk:${id}:${n}`;
/** Hash of the lease on one stage: `epoch`, `verdict`. */
export const leaseKey = (stage: string, id: string) => `${KEY_PREFIX}:lease:${id}:${stage}`;
/** Set of the owners of one stage since its last progress. */
export const stageOwnersKey = (stage: string, id: string) => `${KEY_PREFIX}:owners:${id}:${stage}`;
/** Hash of how far decoding has come. */
export const checkpointKey = (id: string) => `${KEY_PREFIX}:decoding:${id}`;
/** Header of the input stream in which decoding is resumed. */
export const headerKey = (id: string) => `${KEY_PREFIX}:recording:${id}`;
/** Hash of the tracker's state, with a thumbnail of the picture; exists as long as `sessionKey`. */
export const trackerStateKey = (id: string) => `${KEY_PREFIX}:faces:${id}`;
/** Stream of the rendered batches. */
export const renderedLogKey = (id: string) => `${KEY_PREFIX}:marked:${id}`;
/** Sorted set of the session's viewers. */
export const viewersKey = (id: string) => `${KEY_PREFIX}:viewers:${id}`;

/** The session's owner. Outlives the session, as its files on disk do. */
export const sessionOwnerKey = (id: string) => `${KEY_PREFIX}:session-owner:${id}`;
/** Sorted set of valid viewing links. Outlives the session, because its recording does. */
export const viewingLinksKey = (id: string) => `${KEY_PREFIX}:viewing-links:${id}`;

/**
 * Matches a session's own keys, and those of its `chunks` queue. The keys that outlive it have a hyphen in
 * their names.
 */
const GOES_WITH_SESSION = new RegExp(
  `^${KEY_PREFIX}:(?:queue:chunks-|[a-z]+:)([A-Za-z0-9_-]{22})(?::|$)`,
);

/** Id of the session that this key is removed with; undefined for all other keys. */
export function sessionOfKey(key: string): string | undefined {
  return GOES_WITH_SESSION.exec(key)?.[1];
}
