import { KEY_PREFIX } from './redis.js';

/** Set of the ids of all running sessions. */
export const SESSIONS_KEY = `${KEY_PREFIX}:sessions`;

/** Hash of a running session, which is there until it is over. */
export const sessionKey = (id: string) => `${KEY_PREFIX}:session:${id}`;
/** Is there while the publisher is connected, or expected back. */
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
/** Hash of what is known of the session's faces, with a small picture of it: while `sessionKey` is there. */
export const trackerStateKey = (id: string) => `${KEY_PREFIX}:faces:${id}`;
/** Stream of the rendered batches. */
export const renderedLogKey = (id: string) => `${KEY_PREFIX}:marked:${id}`;
/** Sorted set of who watches. */
export const viewersKey = (id: string) => `${KEY_PREFIX}:viewers:${id}`;

/** Whose session it is. Outlives the session, like what is left of it on disk. */
export const sessionOwnerKey = (id: string) => `${KEY_PREFIX}:session-owner:${id}`;
/** Links that are good. Outlive the session, because its recording does. */
export const viewingLinksKey = (id: string) => `${KEY_PREFIX}:viewing-links:${id}`;

/** A session's own keys, and those of its queue of chunks; names of those that outlive it have a hyphen. */
const GOES_WITH_SESSION = new RegExp(
  `^${KEY_PREFIX}:(?:queue:chunks-|[a-z]+:)([A-Za-z0-9_-]{22})(?::|$)`,
);

/** Id of the session with whose end this key goes; undefined for all other keys. */
export function sessionOfKey(key: string): string | undefined {
  return GOES_WITH_SESSION.exec(key)?.[1];
}
