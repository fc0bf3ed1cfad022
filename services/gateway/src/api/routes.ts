import express, { Router, type RequestHandler } from 'express';
import type { Bearers } from '../access/bearers.js';
import type { Owners } from '../access/owners.js';
import type { ViewingLinks } from '../access/viewing-links.js';
import type { DeletedSessions } from '../sessions/deleted-sessions.js';
import { HttpError } from '../errors.js';
import { noStore } from './no-store.js';
import { isSessionId } from '../session-id.js';
import { viewerOf } from '../sessions/viewers.js';
import { facesHandler, type FacesDeps } from './faces-api.js';
import { linkRoutes } from './links.js';
import type { EditOrders } from '../media/edit-orders.js';
import { editRoutes } from './edits-api.js';

/** What the API works with. */
export interface ApiDeps extends FacesDeps {
  bearers: Bearers;
  owners: Owners;
  links: ViewingLinks;
  deleted: DeletedSessions;
  edits: EditOrders;
  /** The address that people open; undefined: the one that they opened. */
  publicUrl: string | undefined;
  /** What stands before a path in people's addresses; empty at the root. */
  basePath: string;
}

const NO_SESSION = 'There is no such session.';

/** `/api`: what programs may ask about sessions, and do to them. */
export function apiRoutes(deps: ApiDeps): Router {
  const { registry, stats, recordings, bearers, owners, deleted, access, audit } = deps;
  const router = Router();

  router.use('/api', noStore);
  router.use('/api', express.json({ limit: '4kb' }));

  router.get('/api/sessions', async (request, response) => {
    const token = bearers.tokenOf(request, 'The list of sessions needs the admin token.');
    bearers.require(request, token, { made: (given) => owners.isAdmin(given) });
    response.json({ sessions: await stats.ofRunning() });
  });

  /** Exchanges a link in the query for a pass, and redirects to the address with the pass in it. */
  const join: RequestHandler<{ sessionId: string }> = async (request, response, next) => {
    const { sessionId } = request.params;
    const joined = await access.join(request, sessionId);
    if (!joined) return next();
    // Relative: a proxy may have put something before the path.
    const [, what] = request.path.split(`/${sessionId}`);
    response.redirect(307, what ? `../${joined.segment}${what}` : joined.segment);
  };
  const seen = ['', '/faces', '/recording.mp4'].map((what) => `/api/sessions/:sessionId${what}`);
  for (const path of seen) router.get(path, join);

  router.get('/api/sessions/:sessionId', async (request, response) => {
    const { sessionId } = await access.enter(request, response, request.params.sessionId);
    const found = await stats.of(sessionId);
    if (!found) throw new HttpError(404, NO_SESSION);
    response.json(found);
  });

  router.get('/api/sessions/:sessionId/faces', facesHandler(deps));

  router.get('/api/sessions/:sessionId/recording.mp4', async (request, response) => {
    const admission = await access.enter(request, response, request.params.sessionId);
    const { sessionId, subject = audit.nameOf(viewerOf(request, deps.trustProxy)) } = admission;
    await deps.withheld.enter(request, response, sessionId);
    await recordings.sendMedia(request, response, sessionId, 'file');
    if (beginsDownload(request.method, request.headers.range)) {
      audit.note('download', subject, sessionId);
    }
  });

  router.delete('/api/sessions/:sessionId', async (request, response) => {
    const { sessionId } = request.params;
    const needed = 'Deleting a session needs its resume token or the publish token.';
    const token = bearers.tokenOf(request, needed);
    const isKnown = isSessionId(sessionId) && !deleted.has(sessionId);
    const owner = isKnown ? await owners.of(sessionId) : undefined;
    if (!owner) throw new HttpError(404, NO_SESSION);
    const subject = owners.require(request, token, owner);
    await deleted.delete(sessionId);
    audit.note('delete session', subject, sessionId);
    response.status(204).end();
  });

  router.delete('/api/sessions/:sessionId/recording', async (request, response) => {
    const { sessionId } = request.params;
    const tokens = "its session's resume token or the publish token";
    const needed = `Deleting a recording needs ${tokens}.`;
    const subject = await owners.requireOfRecording(request, sessionId, needed);
    if (await registry.get(sessionId)) throw new HttpError(409, 'The session still runs.');
    await recordings.remove(sessionId);
    audit.note('delete recording', subject, sessionId);
    response.status(204).end();
  });

  router.use(linkRoutes(deps));
  router.use(editRoutes(deps));
  return router;
}

/** Whether a request is for the first bytes of a download. */
function beginsDownload(method: string, range: string | undefined): boolean {
  return method === 'GET' && (range === undefined || /^bytes=0-/.test(range));
}
