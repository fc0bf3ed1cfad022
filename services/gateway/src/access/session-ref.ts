import { isSessionId } from '../session-id.js';

/** The session that an address names. */
export interface SessionRef {
  sessionId: string;
  /** The pass in the path, which the relative addresses in a playlist inherit. */
  pass: string | undefined;
}

/** Separates a session's id from a pass; occurs in neither. */
const SEPARATOR = '~';

/** Reads the part of a path that names a session; undefined if it cannot be one. */
export function readSessionRef(segment: string): SessionRef | undefined {
  const [sessionId = '', pass, ...rest] = segment.split(SEPARATOR);
  return isSessionId(sessionId) && rest.length === 0 ? { sessionId, pass } : undefined;
}

/** The part of a path that names a session, with a pass. */
export function writeSessionRef(sessionId: string, pass: string): string {
  return `${sessionId}${SEPARATOR}${pass}`;
}

/** An address for the log: without its pass and its query. */
export function withoutSecrets(url: string): string {
  return url.replace(/\?.*/, '').replace(/~[^/]*/g, '');
}
