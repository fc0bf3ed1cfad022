import type { HealthCheck } from '@facecast/shared/runtime/health';
import type { Logger } from '@facecast/shared/runtime/logger';
import express, { type Express } from 'express';
import { pinoHttp } from 'pino-http';
import { opsRoutes } from '../api/ops.js';
import { apiRoutes, type ApiDeps } from '../api/routes.js';
import type { MetricsAccess } from '../access/metrics-access.js';
import { withoutSecrets } from '../access/session-ref.js';
import { answerErrors, noSuchRoute } from '../errors.js';
import { countRequests, type GatewayMetrics } from '../metrics.js';
import { pageRoutes } from './page.js';
import { securityHeaders } from './security-headers.js';

/** What the page and the API work with. */
export interface AppDeps {
  api: ApiDeps;
  checks: Record<string, HealthCheck>;
  metrics: GatewayMetrics;
  metricsAccess: MetricsAccess;
  log: Logger;
  webDir: string;
}

/** The Express app: everything over HTTP except playback. */
export function createApp(deps: AppDeps): Express {
  const { api, checks, metrics, log, webDir } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(countRequests(metrics.requests));
  app.use(securityHeaders());
  app.use(opsRoutes(checks, metrics.registry, deps.metricsAccess));
  app.use(
    pinoHttp({
      logger: log,
      customLogLevel: levelOf,
      serializers: { req: requestLine, res: statusOf },
    }),
  );
  app.use(apiRoutes(api));
  app.use(pageRoutes({ webDir, basePath: api.basePath, log }, api.access));
  app.use(noSuchRoute);
  app.use(answerErrors(log));
  return app;
}

/** Logs a request without its headers, which have tokens, and without the viewer's address. */
function requestLine({ method, url }: { method: string; url: string }) {
  return { method, url: withoutSecrets(url) };
}

/** Logs an answer without its headers, because a cookie or a redirect may have a pass in it. */
function statusOf({ statusCode }: { statusCode: number }) {
  return { statusCode };
}

function levelOf(_request: unknown, { statusCode }: { statusCode: number }) {
  return statusCode >= 500 ? 'warn' : 'debug';
}
