import { serverPath } from '../server-path.js';
import type { StartedSession } from './started-session.js';

/** How long the link to one's own session may be followed, in seconds: the page follows it at once. */
const LINK_SECONDS = 60;
/** How long one's own session may be watched then, in seconds: longer than any preview. */
const SEEING_SECONDS = 2 * 3600;

/** One's own session: its id and the token that proves it. */
export type OwnSession = Pick<StartedSession, 'sessionId' | 'resumeToken'>;

/** A signed link to a private session. */
export interface SignedLink {
  id: string;
  /** Address of the watch page. */
  url: string;
}

/** Makes a signed link, with the times in seconds until which viewers may join and stay. */
export async function makeLink(session: OwnSession, seconds: number): Promise<SignedLink> {
  return makeSignedLink(session, { expiresIn: seconds });
}

/** Revokes a link: its viewers are cut off within two seconds. */
export async function withdrawLink(session: OwnSession, { id }: SignedLink): Promise<void> {
  await askOwn(session, `/links/${id}`, 'DELETE').catch((error: unknown) => {
    if (!(error instanceof NotThereError)) throw error;
  });
}

/**
 * Lets this browser see its own private session: makes and follows a link, which sets the cookies that let every
 * player here load it. False if that fails.
 */
export async function seeOwnSession(session: OwnSession): Promise<boolean> {
  try {
    const times = { expiresIn: LINK_SECONDS, leaveAfter: SEEING_SECONDS };
    const { url } = await makeSignedLink(session, times);
    // The server may have another name for itself than this page has.
    const { pathname, search } = new URL(url);
    return (await fetch(pathname + search)).ok;
  } catch {
    return false;
  }
}

/** Deletes a session and everything of it, also while the page is being left. False if that fails. */
export async function deleteSession(session: OwnSession): Promise<boolean> {
  return askOwn(session, '', 'DELETE').then(
    () => true,
    (error: unknown) => error instanceof NotThereError,
  );
}

async function makeSignedLink(
  session: OwnSession,
  times: { expiresIn: number; leaveAfter?: number },
): Promise<SignedLink> {
  return (await askOwn(session, '/links', 'POST', times)).json() as Promise<SignedLink>;
}

class NotThereError extends Error {}

/**
 * Sends a request about one's own session. Rejects unless the answer is 2xx.
 * @param what the path after the session's, with a slash; or nothing
 */
export async function askOwn(
  { sessionId, resumeToken }: OwnSession,
  what: string,
  method: string,
  body?: object,
): Promise<Response> {
  const answer = await fetch(serverPath(`/api/sessions/${sessionId}${what}`), {
    method,
    keepalive: true,
    headers: {
      authorization: `Bearer ${resumeToken}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (answer.status === 404) throw new NotThereError();
  if (!answer.ok) throw new Error(`${method} ${what}: ${answer.status}`);
  return answer;
}
