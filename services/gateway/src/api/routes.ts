import { isResumeToken } from '@facecast/shared/sessions';
import { Router, type Request } from 'express';
import type { Bearers } from '../access/bearers.js';
import type { PublishTokens } from '../access/publish-tokens.js';
import { Refusal } from '../errors.js';
import type { LiveSessions } from '../live-sessions.js';
import { noRecording } from '../recordings.js';
import { isSessionId } from '../session-id.js';
import { sameSecret } from '../tokens.js';
import { noStore } from '../no-store.js';
import { facesHandler, type FacesParts } from './faces.js';

/** What the API is made of. */
export interface ApiParts extends FacesParts {
  sessions: LiveSessions;
  bearers: Bearers;
  publishTokens: PublishTokens;
  adminToken: string | undefined;
}

const NO_SESSION = 'There is no such session.';

/** `/api`: what programs may ask about sessions, and do to them. */
export function apiRoutes(parts: ApiParts): Router {
  const { registry, sessions, stats, recordings, bearers, publishTokens, adminToken } = parts;
  const isAdmin = (token: string) => adminToken !== undefined && sameSecret(token, adminToken);
  /** Lets in who may do everything to a session: its publisher, and who has the tokens of all. */
  const requireOwner = (request: Request, token: string, session: { resumeTokenHash: string }) =>
    bearers.require(request, token, {
      made: (given) => isResumeToken(session, given) || isAdmin(given),
      chosen: (given) => publishTokens.isTheOne(given),
    });
  const router = Router();

  router.use('/api', noStore);

  router.get('/api/sessions', async (request, response) => {
    const token = bearers.tokenOf(request, 'The list of sessions needs the admin token.');
    bearers.require(request, token, { made: isAdmin });
    response.json({ sessions: await stats.ofRunning() });
  });

  router.get('/api/sessions/:sessionId', async (request, response) => {
    const { sessionId } = request.params;
    const found = isSessionId(sessionId) ? await stats.of(sessionId) : undefined;
    if (!found) throw new Refusal(404, NO_SESSION);
    response.json(found);
  });

  router.get('/api/sessions/:sessionId/faces', facesHandler(parts));

  router.delete('/api/sessions/:sessionId', async (request, response) => {
    const { sessionId } = request.params;
    const needed = 'Ending a session needs its resume token or the publish token.';
    const token = bearers.tokenOf(request, needed);
    const session = isSessionId(sessionId) ? await registry.get(sessionId) : undefined;
    if (!session) throw new Refusal(404, NO_SESSION);
    requireOwner(request, token, session);
    if (!(await sessions.end(sessionId))) throw new Refusal(404, NO_SESSION);
    response.status(204).end();
  });

  router.get('/api/sessions/:sessionId/recording.mp4', async (request, response) => {
    await recordings.sendMedia(request, response, request.params.sessionId, 'file');
  });

  router.delete('/api/sessions/:sessionId/recording', async (request, response) => {
    const { sessionId } = request.params;
    const tokens = "its session's resume token or the publish token";
    const token = bearers.tokenOf(request, `Deleting a recording needs ${tokens}.`);
    const about = await recordings.about(sessionId);
    if (!about) throw noRecording();
    requireOwner(request, token, about);
    if (await registry.get(sessionId)) throw new Refusal(409, 'The session still runs.');
    await recordings.remove(sessionId);
    response.status(204).end();
  });

  return router;
}
