import { isSessionId } from '../session-id.js';

/** Which session an address is about. */
export interface SessionRef {
  sessionId: string;
  /** The pass in the path, with which everything that a playlist lists is reached, too. */
  pass: string | undefined;
}

/** Between a session's id and a pass. In no id and in no pass. */
const SEPARATOR = '~';

/** Reads the part of a path that names a session; undefined where it can be none. */
export function readSessionRef(segment: string): SessionRef | undefined {
  const [sessionId = '', pass, ...rest] = segment.split(SEPARATOR);
  return isSessionId(sessionId) && rest.length === 0 ? { sessionId, pass } : undefined;
}

/** The part of a path that names a session, with a pass. */
export function writeSessionRef(sessionId: string, pass: string): string {
  return `${sessionId}${SEPARATOR}${pass}`;
}

/** An address as it may be written down: without passes, and without what a query may have. */
export function withoutSecrets(url: string): string {
  return url.replace(/\?.*/, '').replace(/~[^/]*/g, '');
}
