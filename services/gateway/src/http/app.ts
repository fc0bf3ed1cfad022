import type { HealthCheck } from '@facecast/shared/runtime/health';
import type { Logger } from '@facecast/shared/runtime/logger';
import express, { type Express } from 'express';
import { pinoHttp } from 'pino-http';
import { opsRoutes } from '../api/ops.js';
import { apiRoutes, type ApiParts } from '../api/routes.js';
import { withoutSecrets } from '../access/session-ref.js';
import { answerErrors, noSuchRoute } from '../errors.js';
import { countRequests, type GatewayMetrics } from '../metrics.js';
import { pageRoutes } from './page.js';
import { securityHeaders } from './security-headers.js';

/** What the page and the API are made of. */
export interface AppParts {
  api: ApiParts;
  checks: Record<string, HealthCheck>;
  metrics: GatewayMetrics;
  log: Logger;
  webDir: string;
}

/** Everything that is answered over HTTP but playback. */
export function createApp(parts: AppParts): Express {
  const { api, checks, metrics, log, webDir } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(countRequests(metrics.requests));
  app.use(securityHeaders());
  app.use(opsRoutes(checks, metrics.registry));
  app.use(
    pinoHttp({
      logger: log,
      customLogLevel: levelOf,
      serializers: { req: requestLine, res: statusOf },
    }),
  );
  app.use(apiRoutes(api));
  app.use(pageRoutes(webDir, api.access, log));
  app.use(noSuchRoute);
  app.use(answerErrors(log));
  return app;
}

/** No headers, in which there are tokens, and no address of a viewer. */
function requestLine({ method, url }: { method: string; url: string }) {
  return { method, url: withoutSecrets(url) };
}

/** No headers either: a cookie or an address to go on to may have a pass in it. */
function statusOf({ statusCode }: { statusCode: number }) {
  return { statusCode };
}

function levelOf(_request: unknown, { statusCode }: { statusCode: number }) {
  return statusCode >= 500 ? 'warn' : 'debug';
}
