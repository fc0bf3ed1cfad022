import { isResumeToken } from '@facecast/shared/sessions';
import { Router } from 'express';
import { Refusal } from '../errors.js';
import type { LiveSessions } from '../live-sessions.js';
import { noRecording } from '../recordings.js';
import { isSessionId } from '../session-id.js';
import { bearerOf, sameSecret } from '../tokens.js';
import { noStore } from '../no-store.js';
import { facesHandler, type FacesParts } from './faces.js';

/** What the API is made of. */
export interface ApiParts extends FacesParts {
  sessions: LiveSessions;
  publishToken: string | undefined;
}

const NO_SESSION = 'There is no such session.';

/** `/api`: what programs may ask about sessions, and do to them. */
export function apiRoutes(parts: ApiParts): Router {
  const { registry, sessions, stats, recordings, publishToken } = parts;
  const isOwner = (session: { resumeTokenHash: string }, token: string) =>
    (publishToken !== undefined && sameSecret(token, publishToken)) ||
    isResumeToken(session, token);
  const router = Router();

  router.use('/api', noStore);

  router.get('/api/sessions', async (request, response) => {
    const isAllowed =
      publishToken === undefined || sameSecret(bearerOf(request) ?? '', publishToken);
    if (!isAllowed) throw new Refusal(401, 'The list of sessions needs the publish token.');
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
    const token = bearerOf(request);
    if (token === undefined) {
      throw new Refusal(401, 'Ending a session needs its resume token or the publish token.');
    }
    const session = isSessionId(sessionId) ? await registry.get(sessionId) : undefined;
    if (!session) throw new Refusal(404, NO_SESSION);
    if (!isOwner(session, token)) throw new Refusal(401, 'That token may not end this session.');
    if (!(await sessions.end(sessionId))) throw new Refusal(404, NO_SESSION);
    response.status(204).end();
  });

  router.get('/api/sessions/:sessionId/recording.mp4', async (request, response) => {
    await recordings.sendMedia(request, response, request.params.sessionId, 'file');
  });

  router.delete('/api/sessions/:sessionId/recording', async (request, response) => {
    const { sessionId } = request.params;
    const token = bearerOf(request);
    if (token === undefined) {
      const tokens = "its session's resume token or the publish token";
      throw new Refusal(401, `Deleting a recording needs ${tokens}.`);
    }
    const about = await recordings.about(sessionId);
    if (!about) throw noRecording();
    if (!isOwner(about, token)) throw new Refusal(401, 'That token may not delete this.');
    if (await registry.get(sessionId)) throw new Refusal(409, 'The session still runs.');
    await recordings.remove(sessionId);
    response.status(204).end();
  });

  return router;
}
