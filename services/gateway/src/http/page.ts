import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@facecast/shared/runtime/logger';
import express, { Router } from 'express';
import type { SessionAccess } from '../access/session-access.js';
import { HttpError } from '../errors.js';

/** The built page: `/` for publishers, `/watch/<session>` for viewers, and their assets. */
export function pageRoutes(
  { webDir, basePath, log }: { webDir: string; basePath: string; log: Logger },
  access: SessionAccess,
): Router {
  if (!existsSync(join(webDir, 'index.html'))) {
    log.warn({ webDir }, 'there is no page to serve: build the web workspace, or set WEB_DIR');
  }
  const router = Router();
  // The page's addresses are relative.
  if (basePath)
    router.get(basePath, (_request, response) => response.redirect(308, `${basePath}/`));
  router.use(
    '/assets',
    // Their names change with their content.
    express.static(join(webDir, 'assets'), { immutable: true, maxAge: '1y', index: false }),
  );
  router.get('/watch/:session', async (request, response) => {
    const { session } = request.params;
    const joined = await access.join(request, session).catch(ignoreBadLink);
    if (joined) {
      // The page asks by the session's plain addresses: for each of them there is a cookie.
      response.set('Set-Cookie', joined.cookies).set('Cache-Control', 'no-store');
      // Relative: a proxy may have put something before the path.
      return response.redirect(303, session);
    }
    try {
      await access.enter(request, response, session);
    } catch (error) {
      const isForbidden = error instanceof HttpError && error.status === 403;
      // For a person, the page itself explains the refusal.
      if (!isForbidden || request.accepts(['json', 'html']) !== 'html') throw error;
      response.status(403);
    }
    response.set('Cache-Control', 'no-cache');
    response.sendFile('watch.html', { root: webDir, cacheControl: false });
  });
  router.use(express.static(webDir, { maxAge: 0, redirect: false }));
  return router;
}

/** A bad link is treated like none. */
function ignoreBadLink(error: unknown): undefined {
  if (error instanceof HttpError && error.status === 403) return undefined;
  throw error;
}
