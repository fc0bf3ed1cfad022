import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { Gauge } from 'prom-client';
import { redisCheck, serveOps, writableCheck, type HealthCheck } from './health.js';
import { createLogger } from './logger.js';
import { createMetrics } from './metrics.js';
import { connectRedis } from '../redis/redis.js';
import { redisUrl } from '../testing/worker-redis.js';

let close: () => Promise<void>;
afterEach(() => close());

async function serve(checks: Record<string, HealthCheck>) {
  const metrics = createMetrics('test');
  new Gauge({ name: 'facecast_things', help: 'Things', registers: [metrics] }).set(7);
  const ops = await serveOps({ port: 0, checks, metrics });
  close = ops.close;
  return (path: string) => fetch(`http://127.0.0.1:${ops.port}${path}`);
}

test('a service whose dependencies work is ready', async () => {
  const get = await serve({ redis: async () => 'PONG' });
  const answer = await get('/readyz');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ redis: { ok: true } });
});

test('the dependency that fails is named, and the process is healthy nevertheless', async () => {
  const get = await serve({
    redis: async () => 'PONG',
    frames: () => Promise.reject(new Error('read-only file system')),
  });
  const answer = await get('/readyz');
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({
    redis: { ok: true },
    frames: { ok: false, error: 'read-only file system' },
  });
  expect((await get('/healthz')).status).toBe(200);
});

test('a Redis that does not answer fails at once, and one that answers is well', async () => {
  const log = createLogger('test', 'silent');
  const there = connectRedis(redisUrl, 'worker', log);
  const gone = connectRedis('redis://127.0.0.1:1', 'worker', log);
  await there.ping();
  const get = await serve({ there: redisCheck(there), gone: redisCheck(gone) });
  expect(await (await get('/readyz')).json()).toEqual({
    there: { ok: true },
    gone: { ok: false, error: 'not connected' },
  });
  there.disconnect();
  gone.disconnect();
});

test('a directory that is not there is not writable', async () => {
  const get = await serve({ here: writableCheck('.'), away: writableCheck('/no/such/place') });
  expect(await (await get('/readyz')).json()).toMatchObject({
    here: { ok: true },
    away: { ok: false },
  });
});

test('metrics name the service', async () => {
  const get = await serve({});
  expect(await (await get('/metrics')).text()).toContain('facecast_things{service="test"} 7');
});

test.each(['/healthz', '/readyz', '/metrics', '/secrets'])(
  'a page of a name that was made to resolve here gets nothing of %s',
  async (path) => {
    const ask = await serve({});
    const { port } = new URL((await ask('/healthz')).url);
    const asked = get({
      ...{ port, host: '127.0.0.1', path },
      headers: { host: `rebound.example:${port}` },
    });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(421);
    const body = (await answer.setEncoding('utf8').toArray()).join('');
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'misdirected_request' } });
  },
);

test('anything else is a JSON 404', async () => {
  const get = await serve({});
  const answer = await get('/secrets');
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: { code: 'not_found' } });
});
