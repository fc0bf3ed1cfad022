import { checkHealth, type HealthCheck } from '@facecast/shared/runtime/health';
import { Router } from 'express';
import type { Registry } from 'prom-client';
import type { MetricsAccess } from '../access/metrics-access.js';
import { noStore } from './no-store.js';

/** `/healthz`, `/readyz` and `/metrics`, for whoever runs the gateway. */
export function opsRoutes(
  checks: Record<string, HealthCheck>,
  metrics: Registry,
  access: MetricsAccess,
): Router {
  const router = Router();
  router.use(['/healthz', '/readyz', '/metrics'], noStore);
  router.get('/healthz', async (_request, response) => {
    const { status, body } = await checkHealth({ process: async () => {} });
    response.status(status).json(body);
  });
  router.get('/readyz', async (_request, response) => {
    const { status, body } = await checkHealth(checks);
    response.status(status).json(body);
  });
  router.get('/metrics', async (request, response) => {
    access.enter(request);
    response.set('Content-Type', metrics.contentType).end(await metrics.metrics());
  });
  return router;
}
