/** Length of a session's id: 128 bits in base64url. */
export const SESSION_ID_CHARACTERS = 22;
/** Last characters of private sessions' ids. Those of others end in A, Q, g or w. */
const PRIVATE_ENDS = ['b', 'r', 'h', 'x'];

/**
 * Whether a session can be seen only with a signed link. The id itself says so, in the four bits that 22
 * characters have beyond 128: so a gateway needs to ask nobody, and the answer holds when the session is
 * gone. Upper and lower case are one, because they are to some file systems.
 */
export function isPrivate(sessionId: string): boolean {
  return (
    sessionId.length === SESSION_ID_CHARACTERS &&
    PRIVATE_ENDS.includes(sessionId.slice(-1).toLowerCase())
  );
}
