import type { StartedSession } from './started-session.js';

/** How long the link to one's own session is good to be followed, in seconds: it is at once. */
const LINK_SECONDS = 60;
/** How long one may see it then, in seconds: longer than anybody looks at a preview. */
const SEEING_SECONDS = 2 * 3600;

type Own = Pick<StartedSession, 'sessionId' | 'resumeToken'>;

/**
 * Lets this browser see its own private session: follows a link that is made for that, and gets the cookies
 * with which every player here may load it. Rejects where the server does not allow that.
 */
export async function seeOwnSession(session: Own): Promise<void> {
  const made = await ask(session, '/links', 'POST', {
    ...{ expiresIn: LINK_SECONDS, leaveAfter: SEEING_SECONDS },
  });
  const { url } = (await made.json()) as { url: string };
  // The server may know itself by another name than this page does.
  const { pathname, search } = new URL(url);
  const followed = await fetch(pathname + search);
  if (!followed.ok) throw new Error(`no way into the session: ${followed.status}`);
}

/** Deletes a session and all there is of it, also while the page goes. False where that could not be done. */
export async function deleteSession(session: Own): Promise<boolean> {
  return ask(session, '', 'DELETE').then(
    () => true,
    (error: unknown) => error instanceof NotThereError,
  );
}

class NotThereError extends Error {}

async function ask(
  { sessionId, resumeToken }: Own,
  what: string,
  method: string,
  body?: object,
): Promise<Response> {
  const answer = await fetch(`/api/sessions/${sessionId}${what}`, {
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
