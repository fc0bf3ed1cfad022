import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@facecast/shared/logger';
import express, { Router } from 'express';
import { Refusal } from './errors.js';
import { isSessionId } from './session-id.js';

/** The built page: `/` for publishers, `/watch/<session>` for viewers, and what they load. */
export function pageRoutes(webDir: string, log: Logger): Router {
  if (!existsSync(join(webDir, 'index.html'))) {
    log.warn({ webDir }, 'there is no page to serve: build the web workspace, or set WEB_DIR');
  }
  const router = Router();
  router.use(
    '/assets',
    // Their names change with their content.
    express.static(join(webDir, 'assets'), { immutable: true, maxAge: '1y', index: false }),
  );
  router.get('/watch/:sessionId', (request, response) => {
    if (!isSessionId(request.params.sessionId)) throw new Refusal(404, 'There is nothing here.');
    response.set('Cache-Control', 'no-cache');
    response.sendFile('watch.html', { root: webDir, cacheControl: false });
  });
  router.use(express.static(webDir, { maxAge: 0, redirect: false }));
  return router;
}
