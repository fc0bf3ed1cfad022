import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import type { SessionLook } from './watch-state.js';
import { serverPath } from '../server-path.js';

/** A server that needs longer, in milliseconds, counts as not answering. */
const ANSWER_WITHIN_MS = 5_000;

/** Asks the server once for a session's state, with its stats if it has any. */
export async function lookAtSession(
  sessionId: string,
): Promise<{ look: SessionLook; stats?: Stats }> {
  try {
    const answer = await fetch(serverPath(`/api/sessions/${encodeURIComponent(sessionId)}`), {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (answer.status === 403) return { look: 'not_allowed' };
    if (answer.status === 404) return { look: 'not_found' };
    if (!answer.ok) return { look: 'no_answer' };
    const stats = (await answer.json()) as Stats;
    return { look: stats.state, stats };
  } catch {
    return { look: 'no_answer' };
  }
}
