import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishEvent } from '@facecast/shared/protocol/events';
import { describe, expect, test } from 'vitest';
import { IngestClient } from '../testing/ingest-client.js';
import { TestPipeline } from '../testing/test-pipeline.js';
import { statsOf } from '../testing/test-stats.js';
import { ADMIN_TOKEN, bearer, httpRefusal, useGateways } from '../testing/use-gateways.js';

const { redis, registry, open, gatewayWith, runningSession } = useGateways();

describe('the list of sessions', () => {
  const list = (url: string, token = ADMIN_TOKEN) => fetch(`${url}/api/sessions`, bearer(token));

  test('has the running sessions, the oldest first', async () => {
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

  test('needs the admin token', async () => {
    const { url } = await gatewayWith({ PUBLISH_TOKEN: 'sesame', ADMIN_TOKEN });
    expect(await httpRefusal(fetch(`${url}/api/sessions`))).toEqual([401, 'unauthorized']);
    for (const token of ['wrong', 'sesame', 'undefined'])
      expect(await httpRefusal(list(url, token))).toEqual([401, 'unauthorized']);
    const basic = { headers: { authorization: `Basic ${ADMIN_TOKEN}` } };
    expect(await httpRefusal(fetch(`${url}/api/sessions`, basic))).toEqual([401, 'unauthorized']);
    expect((await list(url)).status).toBe(200);
  });

  test('is refused to all if there is no admin token', async () => {
    const { url } = await gatewayWith();
    for (const token of ['', 'undefined'])
      expect(await httpRefusal(list(url, token))).toEqual([401, 'unauthorized']);
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
    const [status] = await httpRefusal(fetch(`${url}/api/sessions/${id}`));
    expect(status).toBe(id === '%' ? 400 : 404);
  });
});

describe('ending a session', () => {
  const end = (url: string, id: string, token?: string) =>
    fetch(`${url}/api/sessions/${id}`, {
      method: 'DELETE',
      ...(token === undefined ? {} : bearer(token)),
    });

  test('needs its resume token: all that was sent before is still processed', async () => {
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

  test('or the publish token', async () => {
    const { url } = await gatewayWith({ PUBLISH_TOKEN: 'sesame' });
    const { session } = await runningSession();
    expect((await end(url, session.id, 'sesame')).status).toBe(204);
  });

  test('is refused without one of them', async () => {
    const { url } = await gatewayWith();
    const { session } = await runningSession();
    const { resumeToken } = await runningSession();
    expect(await httpRefusal(end(url, session.id))).toEqual([401, 'unauthorized']);
    expect(await httpRefusal(end(url, session.id, resumeToken))).toEqual([401, 'unauthorized']);
    expect(await httpRefusal(end(url, session.id, 'undefined'))).toEqual([401, 'unauthorized']);
    expect(await httpRefusal(end(url, 'nobody', resumeToken))).toEqual([404, 'not_found']);
    expect(await redis.keys('*chunks*')).toEqual([]);
  });
});
