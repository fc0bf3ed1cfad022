import { once } from 'node:events';
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { publishEvent } from '@facecast/shared/protocol/events';
import { consume } from '@facecast/shared/redis/queues';
import { SessionRegistry } from '@facecast/shared/redis/sessions';
import { redisUrl } from '@facecast/shared/testing/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { breakableRedis } from './testing/breakable-redis.js';
import { testGateway, type TestGateway } from './testing/gateway.js';
import { IngestClient } from './testing/ingest-client.js';
import { TestPipeline } from './testing/pipeline.js';
import { testPlaylist } from './testing/playlist.js';
import { until } from './testing/until.js';
import { statsOf } from './testing/stats.js';

const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
const registry = new SessionRegistry(redis);
const open: { close: () => Promise<unknown> }[] = [];

beforeEach(() => redis.flushall());
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close();
});
afterAll(() => redis.quit());

async function gatewayWith(settings: Record<string, string> = {}): Promise<TestGateway> {
  const gateway = await testGateway(settings['REDIS_URL'] ?? redisUrl, settings);
  open.push(gateway);
  return gateway;
}

const runningSession = async (effect: 'box' | 'blur' = 'box') =>
  registry.create({ mimeType: 'video/webm', effect }, 100);

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** The status and the error of a refused request; it is JSON and has no trace of the inside. */
async function refusal(answer: Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  const text = await response.text();
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(text).not.toMatch(/node_modules|\.[jt]s\b|Error:| at /);
  return [response.status, (JSON.parse(text) as { error: { code: string } }).error.code];
}

const ADMIN_TOKEN = 'what-only-the-operator-knows';

describe('the list of sessions', () => {
  const list = (url: string, token = ADMIN_TOKEN) => fetch(`${url}/api/sessions`, bearer(token));

  test('has the running ones, the oldest first', async () => {
    const { url } = await gatewayWith({ ADMIN_TOKEN });
    expect(await (await list(url)).json()).toEqual({ sessions: [] });
    const { session: first } = await runningSession();
    const { session: second } = await runningSession();
    await redis.hset(`facecast:session:${first.id}`, 'createdAt', 1);
    await registry.update(second.id, {
      state: 'live',
      stats: statsOf(second.id),
    });
    const { sessions } = (await (await list(url)).json()) as { sessions: unknown[] };
    expect(sessions).toMatchObject([
      { type: 'stats', sessionId: first.id, state: 'starting', viewers: 0 },
      { type: 'stats', sessionId: second.id, state: 'live', framesOut: 87 },
    ]);
  });

  test('is for who knows the admin token, and nobody else', async () => {
    const { url } = await gatewayWith({ PUBLISH_TOKEN: 'sesame', ADMIN_TOKEN });
    expect(await refusal(fetch(`${url}/api/sessions`))).toEqual([401, 'unauthorized']);
    for (const token of ['wrong', 'sesame', 'undefined'])
      expect(await refusal(list(url, token))).toEqual([401, 'unauthorized']);
    const basic = { headers: { authorization: `Basic ${ADMIN_TOKEN}` } };
    expect(await refusal(fetch(`${url}/api/sessions`, basic))).toEqual([401, 'unauthorized']);
    expect((await list(url)).status).toBe(200);
  });

  test('is nobody’s where there is no admin token', async () => {
    const { url } = await gatewayWith();
    for (const token of ['', 'undefined'])
      expect(await refusal(list(url, token))).toEqual([401, 'unauthorized']);
  });
});

describe('the stats of a session', () => {
  test('before its first frame are zeros, then the newest, with its viewers', async () => {
    const { url } = await gatewayWith({ FPS: '25' });
    const { session } = await runningSession();
    const stats = async () => (await fetch(`${url}/api/sessions/${session.id}`)).json();
    expect(await stats()).toEqual({
      type: 'stats',
      sessionId: session.id,
      state: 'starting',
      width: 0,
      height: 0,
      fps: 25,
      framesIn: 0,
      framesOut: 0,
      framesUndetected: 0,
      faces: 0,
      stages: { decode: { ms: 0 }, detect: { ms: 0 }, segment: { ms: 0 } },
      pipelineMs: 0,
      recording: 'off',
      dateErrorMs: 0,
      lateMs: 0,
      recent: { frames: 0, unsearched: 0, hidden: 0 },
      viewers: 0,
    });
    await registry.update(session.id, { stats: statsOf(session.id) });
    await redis.zadd(`facecast:viewers:${session.id}`, Date.now(), 'a');
    expect(await stats()).toEqual({ type: 'stats', ...statsOf(session.id), viewers: 1 });
  });

  test('that has ended are its last', async () => {
    const { url, hlsDir } = await gatewayWith();
    const last = statsOf('done', { state: 'ended' });
    await mkdir(join(hlsDir, 'done'));
    await writeFile(join(hlsDir, 'done', 'session.json'), JSON.stringify(last));
    const answer = await fetch(`${url}/api/sessions/done`);
    expect(await answer.json()).toEqual({ type: 'stats', ...last, viewers: 0 });
  });

  test.each(['nobody', '..%2f..%2fetc', 'a%00b', '%'])('of %s are a 404 or 400', async (id) => {
    const { url } = await gatewayWith();
    const [status] = await refusal(fetch(`${url}/api/sessions/${id}`));
    expect(status).toBe(id === '%' ? 400 : 404);
  });
});

describe('ending a session', () => {
  const end = (url: string, id: string, token?: string) =>
    fetch(`${url}/api/sessions/${id}`, {
      method: 'DELETE',
      ...(token === undefined ? {} : bearer(token)),
    });

  test('is for who has its resume token: an end is put behind all that was sent', async () => {
    const { url, ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.chunks('a', 'b');
    await client.acknowledgedAtLeast(2);
    const { sessionId, resumeToken } = client.started;
    expect((await end(url, sessionId, resumeToken)).status).toBe(204);
    const pipeline = new TestPipeline(redis, sessionId);
    open.push(pipeline);
    await pipeline.took(3);
    expect(pipeline.order).toEqual([0, 1, 'end']);
    await publishEvent(redis, { type: 'ended', sessionId, frames: 6 });
    expect(await client.message('ended')).toEqual({ type: 'ended', frames: 6 });
    expect(await client.closed()).toBe(1000);
  });

  test('and for who has the publish token', async () => {
    const { url } = await gatewayWith({ PUBLISH_TOKEN: 'sesame' });
    const { session } = await runningSession();
    expect((await end(url, session.id, 'sesame')).status).toBe(204);
  });

  test('is refused to everybody else', async () => {
    const { url } = await gatewayWith();
    const { session } = await runningSession();
    const { resumeToken } = await runningSession();
    expect(await refusal(end(url, session.id))).toEqual([401, 'unauthorized']);
    expect(await refusal(end(url, session.id, resumeToken))).toEqual([401, 'unauthorized']);
    expect(await refusal(end(url, session.id, 'undefined'))).toEqual([401, 'unauthorized']);
    expect(await refusal(end(url, 'nobody', resumeToken))).toEqual([404, 'not_found']);
    expect(await redis.keys('*chunks*')).toEqual([]);
  });
});

describe('the face timeline', () => {
  const line = (frame: number) =>
    `${JSON.stringify({ frame, t: frame / 30, faces: [{ id: 0, x: 1, y: 2, width: 3, height: 4, score: 1 }] })}\n`;
  const lines = (...frames: number[]) => frames.map(line).join('');

  async function session(gateway: TestGateway, content: string): Promise<[string, string]> {
    const { id } = (await runningSession()).session;
    await mkdir(join(gateway.hlsDir, id));
    const path = join(gateway.hlsDir, id, 'faces.ndjson');
    await writeFile(path, content);
    return [`${gateway.url}/api/sessions/${id}/faces`, path];
  }

  test('comes as one JSON line a frame', async () => {
    const [url] = await session(await gatewayWith(), lines(0, 1, 5));
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(await response.text()).toBe(lines(0, 1, 5));
  });

  test.each([
    ['?from=2', [2, 7, 30]],
    ['?to=7', [1, 2, 7]],
    ['?from=2&to=7', [2, 7]],
    ['?from=3&to=6', []],
    ['?from=7&to=2', []],
  ])('%s: both ends belong to it', async (query, frames) => {
    const [url] = await session(await gatewayWith(), lines(1, 2, 7, 30));
    expect(await (await fetch(url + query)).text()).toBe(lines(...frames));
  });

  test('comes whole however long it is', async () => {
    const long = lines(...Array.from({ length: 20_000 }, (_, n) => n));
    const [url] = await session(await gatewayWith(), long);
    expect(await (await fetch(url)).text()).toBe(long);
  });

  test('is followed as it grows, without half a line, until the session ends', async () => {
    const gateway = await gatewayWith();
    const [url, path] = await session(gateway, lines(0));
    const sessionId = new URL(url).pathname.split('/')[3] ?? '';
    const part = () =>
      publishEvent(redis, { type: 'part', sessionId, msn: 0, part: 0, batches: 0 });
    const response = await fetch(`${url}?follow=1`);
    const body = (response.body as ReadableStream<Uint8Array>).getReader();
    const read = async () => {
      const { value, done } = await body.read();
      return done ? 'done' : Buffer.from(value).toString();
    };
    expect(await read()).toBe(lines(0));
    await appendFile(path, lines(3));
    await part();
    expect(await read()).toBe(lines(3));
    await appendFile(path, line(4).slice(0, 20));
    await part();
    await appendFile(path, line(4).slice(20));
    await part();
    expect(await read()).toBe(lines(4));
    await appendFile(path, lines(5));
    await publishEvent(redis, { type: 'ended', sessionId, frames: 6 });
    expect(await read()).toBe(lines(5));
    expect(await read()).toBe('done');
  });

  test('that is followed ends with its range, its gateway, or at once where the session has ended', async () => {
    const gateway = await testGateway(redisUrl);
    const [url] = await session(gateway, lines(0, 9));
    expect(await (await fetch(`${url}?follow=1&to=8`)).text()).toBe(lines(0));
    const followed = await fetch(`${url}?follow=1`);
    await gateway.close();
    expect(await followed.text()).toBe(lines(0, 9));
    const other = await gatewayWith();
    const [ended, path] = await session(other, lines(1));
    const id = new URL(ended).pathname.split('/')[3] ?? '';
    const last = statsOf(id, { state: 'ended' });
    await writeFile(join(dirname(path), 'session.json'), JSON.stringify(last));
    await registry.remove(id);
    expect(await (await fetch(`${ended}?follow=1`)).text()).toBe(lines(1));
  });

  test('of a session without faces so far is empty, and may be followed', async () => {
    const gateway = await gatewayWith();
    const [url, path] = await session(gateway, '');
    await rm(path);
    expect(await (await fetch(url)).text()).toBe('');
    const followed = await fetch(`${url}?follow=1`);
    await writeFile(path, lines(7));
    const sessionId = new URL(url).pathname.split('/')[3] ?? '';
    await publishEvent(redis, { type: 'ended', sessionId, frames: 8 });
    expect(await followed.text()).toBe(lines(7));
  });

  test.each(['?from=-1', '?to=x', '?from=1&from=2', '?follow=yes'])(
    '%s is a Bad Request',
    async (query) => {
      const [url] = await session(await gatewayWith(), '');
      expect(await refusal(fetch(url + query))).toEqual([400, 'bad_request']);
    },
  );

  test('of no session is a 404', async () => {
    const { url } = await gatewayWith();
    const faces = fetch(`${url}/api/sessions/nobody/faces`);
    expect(await refusal(faces)).toEqual([404, 'not_found']);
  });
});

describe('playback, through Redis', () => {
  test('a part event wakes the viewers of every gateway', async () => {
    const gateways = [await gatewayWith(), await gatewayWith()];
    const text = testPlaylist({ segments: 5, openParts: 2 });
    const next = testPlaylist({ segments: 5, openParts: 3 });
    const answers = [];
    for (const { hlsDir, url } of gateways) {
      await mkdir(join(hlsDir, 's'));
      await writeFile(join(hlsDir, 's', 'live.m3u8'), text);
      answers.push(fetch(`${url}/hls/s/live.m3u8?_HLS_msn=5&_HLS_part=2`));
      await until(async () => (await metric(url, 'facecast_playback_requests_waiting')) === 1);
      await writeFile(join(hlsDir, 's', 'live.m3u8'), next);
    }
    await publishEvent(redis, { type: 'part', sessionId: 's', msn: 5, part: 2, batches: 53 });
    for (const answer of answers) expect(await (await answer).text()).toBe(next);
  });

  test('a gateway that stops answers who waits', async () => {
    const gateway = await testGateway(redisUrl);
    await mkdir(join(gateway.hlsDir, 's'));
    await writeFile(join(gateway.hlsDir, 's', 'live.m3u8'), testPlaylist({ segments: 5 }));
    const answer = fetch(`${gateway.url}/hls/s/live.m3u8?_HLS_msn=5`);
    await until(
      async () => (await metric(gateway.url, 'facecast_playback_requests_waiting')) === 1,
    );
    await gateway.close();
    expect(await refusal(answer)).toEqual([503, 'unavailable']);
  });
});

describe('health', () => {
  const ready = async (url: string) => {
    const response = await fetch(`${url}/readyz`);
    return [response.status, await response.json()];
  };

  test('the process is healthy whatever it depends on', async () => {
    const { url } = await gatewayWith();
    const response = await fetch(`${url}/healthz`);
    expect([response.status, await response.json()]).toEqual([200, { process: { ok: true } }]);
  });

  test('ready means: Redis, the HLS volume, and somebody at work in each stage', async () => {
    const { url, hlsDir } = await gatewayWith();
    const nobody = { ok: false, error: 'nobody is at work' };
    expect(await ready(url)).toEqual([
      503,
      { redis: { ok: true }, hls: { ok: true }, decode: nobody, detect: nobody, segment: nobody },
    ]);
    for (const kind of ['decode', 'detect', 'segment'] as const) {
      const worker = consume(redis, { kind }, async () => {});
      open.push({ close: () => worker.close() });
      await worker.waitUntilReady();
    }
    await until(async () => (await ready(url))[0] === 200);
    await rm(hlsDir, { recursive: true });
    expect(await ready(url)).toMatchObject([503, { hls: { ok: false } }]);
  });

  test('without Redis it is not ready, and says so', async () => {
    const way = await breakableRedis(redisUrl);
    open.push(way);
    const { url } = await gatewayWith({ REDIS_URL: way.url });
    way.cut();
    expect(await ready(url)).toMatchObject([503, { redis: { ok: false }, hls: { ok: true } }]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const stats = fetch(`${url}/api/sessions/x`);
    expect(await refusal(stats)).toEqual([500, 'internal']);
  });

  test('metrics count what came in and what was asked for', async () => {
    const { url, ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.chunks('12345', '67890');
    await client.acknowledgedAtLeast(2);
    await fetch(`${url}/api/sessions/nobody`);
    await fetch(`${url}/hls/nobody/live.m3u8`);
    await fetch(`${url}/wp-admin`);
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('facecast_ingest_bytes_total{service="gateway"} 10');
    expect(text).toContain('facecast_ingest_chunks_total{service="gateway"} 2');
    expect(text).toContain('facecast_publishers_connected{service="gateway"} 1');
    expect(text).toContain('facecast_stage_seconds_count{service="gateway"} 2');
    for (const route of ['/api/sessions/:sessionId', '/hls/:sessionId/live.m3u8', 'other']) {
      expect(text).toContain(
        `facecast_http_requests_total{route="${route}",status="404",service="gateway"} 1`,
      );
    }
  });
});

describe('the page', () => {
  test('is there for publishers and viewers', async () => {
    const { url } = await gatewayWith();
    const page = async (path: string) => {
      const response = await fetch(url + path);
      return [await response.text(), response.headers.get('cache-control')];
    };
    expect(await page('/')).toEqual(['<title>publish</title>', 'public, max-age=0']);
    expect(await page('/watch/abc-_123')).toEqual(['<title>watch</title>', 'no-cache']);
    expect(await page('/assets/app-1a2b.js')).toEqual([
      'export {};',
      'public, max-age=31536000, immutable',
    ]);
  });

  test('may do what it is for, and nothing else, also over plain http', async () => {
    const { url, port } = await gatewayWith();
    const { headers } = await fetch(url);
    expect(headers.get('content-security-policy')?.split(';')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      "media-src 'self' blob:",
      "worker-src 'self' blob:",
      `connect-src 'self' ws://127.0.0.1:${port} wss://127.0.0.1:${port}`,
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'self'",
    ]);
    expect(headers.get('permissions-policy')).toBe(
      'camera=(self), microphone=(self), display-capture=(self)',
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.has('strict-transport-security')).toBe(false);
    expect(headers.has('x-powered-by')).toBe(false);
  });

  test('a gateway without a page serves all the rest', async () => {
    const { url } = await gatewayWith({ WEB_DIR: '/nowhere' });
    expect(await refusal(fetch(url))).toEqual([404, 'not_found']);
    expect(await refusal(fetch(`${url}/watch/abc`))).toEqual([404, 'not_found']);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test.each(['/nothing', '/watch/a.b', '/watch', '/assets/none.js', '/hls', '/api'])(
    '%s is a 404 in JSON',
    async (path) => {
      const { url } = await gatewayWith();
      expect(await refusal(fetch(url + path))).toEqual([404, 'not_found']);
    },
  );

  test('an address that is not well-formed is a Bad Request', async () => {
    const { url } = await gatewayWith();
    expect(await refusal(fetch(`${url}/watch/%E0%A4%A`))).toEqual([400, 'bad_request']);
  });
});

describe('a request under another name', () => {
  const asked = async (port: number, host: string | undefined, path = '/api/sessions/x') => {
    const headers = host === undefined ? {} : { host };
    const request = get({ port, host: '127.0.0.1', path, headers, setHost: host !== undefined });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = (await response.setEncoding('utf8').toArray()).join('');
    return [response.statusCode, body] as const;
  };
  const paths = ['/', '/watch/x', '/api/sessions', '/hls/x/live.m3u8', '/metrics', '/healthz'];

  test.each(paths)('gets nothing of %s but the words that name the setting', async (path) => {
    const { port } = await gatewayWith();
    const [status, body] = await asked(port, 'rebound.example:80', path);
    expect(status).toBe(421);
    const { error } = JSON.parse(body) as { error: { code: string; message: string } };
    expect(error.code).toBe('misdirected_request');
    expect(error.message).toMatch(/rebound\.example.*PUBLIC_URL.*ALLOWED_ORIGINS/);
  });

  test('nor does a WebSocket', async () => {
    const { port, ingestUrl } = await gatewayWith();
    const headers = { host: 'rebound.example', origin: 'http://rebound.example' };
    await expect(IngestClient.connect(ingestUrl, { headers })).rejects.toThrow('421');
    await IngestClient.connect(ingestUrl, { headers: { host: `localhost:${port}` } });
  });

  test('is answered where the name is the server’s own, or of a site that may use it', async () => {
    const settings = {
      PUBLIC_URL: 'https://cast.example',
      ALLOWED_ORIGINS: 'https://site.example',
    };
    const { port } = await gatewayWith(settings);
    for (const host of ['cast.example', 'site.example', `localhost:${port}`, '[::1]'])
      expect((await asked(port, host))[0]).toBe(404);
    expect((await asked(port, 'x; script-src'))[0]).toBe(421);
  });
});

describe('who is turned away', () => {
  test('is counted by the code of the error', async () => {
    const { url, ingestUrl } = await gatewayWith({ PUBLISH_TOKEN: 'sesame' });
    const client = await IngestClient.connect(ingestUrl);
    client.say({ type: 'start', mimeType: 'video/webm', token: 'wrong' });
    await client.refused();
    await fetch(`${url}/api/sessions`);
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const door of ['ingest', 'http'])
      expect(text).toContain(
        `facecast_refusals_total{door="${door}",code="unauthorized",service="gateway"} 1`,
      );
  });

  test('for too many wrong tokens learns nothing more of them, while made ones still count', async () => {
    const { url, ingestUrl } = await gatewayWith({ PUBLISH_TOKEN: 'sesame', ADMIN_TOKEN });
    const { session, resumeToken } = await runningSession();
    const list = (token: string) => fetch(`${url}/api/sessions`, bearer(token));
    const statuses = new Set<number>();
    while (!statuses.has(429)) statuses.add((await list('wrong')).status);
    expect([...statuses]).toEqual([401, 429]);
    const publisher = await IngestClient.connect(ingestUrl);
    publisher.say({ type: 'start', mimeType: 'video/webm', token: 'sesame' });
    expect(await publisher.refused()).toEqual(['overloaded', 1013]);
    expect((await list(ADMIN_TOKEN)).status).toBe(200);
    const resumed = await IngestClient.connect(ingestUrl);
    resumed.say({ type: 'resume', sessionId: session.id, resumeToken });
    await resumed.message('resumed');
  });
});

async function metric(url: string, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = new RegExp(`^${name}{.*} (.*)$`, 'm').exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
