import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishEvent } from '@facecast/shared/protocol/events';
import { beforeEach, expect, test } from 'vitest';
import { fillSession } from '../testing/fill-session.js';
import type { TestGateway } from '../testing/test-gateway.js';
import { IngestClient } from '../testing/ingest-client.js';
import { TestPipeline } from '../testing/test-pipeline.js';
import { statsOf } from '../testing/test-stats.js';
import { until } from '../testing/until.js';
import { ADMIN_TOKEN, useGateways } from '../testing/use-gateways.js';

const { redis, registry, open, ...gateways } = useGateways();
const gatewayWith = (settings: Record<string, string> = {}) =>
  gateways.gatewayWith({ ADMIN_TOKEN, ...settings });
let gateway: TestGateway;

beforeEach(async () => {
  gateway = await gatewayWith();
});

/** A session that has ended and can still be played. */
async function endedSession(): Promise<IngestClient> {
  const client = await IngestClient.live(gateway.ingestUrl);
  await fillSession(gateway, client.sessionId);
  await end(client.sessionId);
  return client;
}

async function end(sessionId: string): Promise<void> {
  const last = JSON.stringify(statsOf(sessionId, { state: 'ended' }));
  await writeFile(join(gateway.hlsDir, sessionId, 'session.json'), last);
  await registry.remove(sessionId);
  await publishEvent(redis, { type: 'ended', sessionId, frames: 90 });
}

const remove = (sessionId: string, token: string) =>
  fetch(`${gateway.url}/api/sessions/${sessionId}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}` },
  });

const addresses = (of: string) => [
  ...['live.m3u8', '4.m4s', 'recording.m3u8', 'recording.mp4'].map((file) => `/hls/${of}/${file}`),
  ...['', '/faces', '/recording.mp4'].map((what) => `/api/sessions/${of}${what}`),
  `/watch/${of}`,
];

const statuses = async ({ url }: TestGateway, sessionId: string) =>
  new Set(
    await Promise.all(addresses(sessionId).map(async (path) => (await fetch(url + path)).status)),
  );

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
const foldersOf = (sessionId: string) =>
  Promise.all([gateway.hlsDir, gateway.recordingsDir].map((each) => exists(join(each, sessionId))));

test('of a session that has ended nothing is left, and nothing answers', async () => {
  const { sessionId, started } = await endedSession();
  expect((await fetch(`${gateway.url}/hls/${sessionId}/live.m3u8`)).status).toBe(200);
  expect((await remove(sessionId, started.resumeToken)).status).toBe(204);
  expect(await statuses(gateway, sessionId)).toEqual(new Set([404]));
  expect(await foldersOf(sessionId)).toEqual([false, false]);
  const keys = await redis.keys(`*${sessionId}*`);
  // What the pipeline removes, which is not here, and what is gone in seconds.
  expect(
    keys.filter((key) => !/:queue:|:chunk:|:aof-rewrite:|:publisher:|:viewers:/.test(key)),
  ).toEqual([]);
  expect((await remove(sessionId, started.resumeToken)).status).toBe(404);
});

test('a session that runs is ended, answers nothing from then on, and goes when it has ended', async () => {
  const client = await IngestClient.live(gateway.ingestUrl);
  const { sessionId } = client;
  await fillSession(gateway, sessionId);
  const held = fetch(`${gateway.url}/hls/${sessionId}/live.m3u8?_HLS_msn=5`);
  const followed = await fetch(`${gateway.url}/api/sessions/${sessionId}/faces?follow=1`);
  expect((await remove(sessionId, client.started.resumeToken)).status).toBe(204);
  expect((await held).status).toBe(404);
  await followed.text();
  expect(await statuses(gateway, sessionId)).toEqual(new Set([404]));
  const pipeline = new TestPipeline(redis, sessionId);
  open.push(pipeline);
  await pipeline.took(2);
  expect(pipeline.order).toEqual([0, 'end']);
  expect(await foldersOf(sessionId)).toEqual([true, true]);
  await end(sessionId);
  expect((await client.message('ended')).frames).toBe(90);
  await until(async () => !(await foldersOf(sessionId)).includes(true));
});

test('no gateway answers, also one that starts later, and one that did not hear of it', async () => {
  const other = await gatewayWith();
  const client = await IngestClient.live(gateway.ingestUrl);
  const { sessionId } = client;
  for (const each of [gateway, other]) await fillSession(each, sessionId);
  await remove(sessionId, client.started.resumeToken);
  await until(async () => (await statuses(other, sessionId)).size === 1);
  const later = await gatewayWith();
  await fillSession(later, sessionId);
  for (const each of [other, later])
    expect(await statuses(each, sessionId)).toEqual(new Set([404]));
});

test('a connection that was lost does not resume it', async () => {
  const lost = await IngestClient.live(gateway.ingestUrl);
  lost.socket.terminate();
  await remove(lost.sessionId, lost.started.resumeToken);
  const client = await IngestClient.connect(gateway.ingestUrl);
  client.say({ ...lost.started, type: 'resume' });
  expect(await client.refused()).toEqual(['not_found', 1008]);
});

test('is for its publisher and for the operator', async () => {
  const [first, second] = [await endedSession(), await endedSession()];
  expect((await remove(first.sessionId, second.started.resumeToken)).status).toBe(401);
  expect((await remove(first.sessionId, ADMIN_TOKEN)).status).toBe(204);
  expect((await fetch(`${gateway.url}/hls/${second.sessionId}/live.m3u8`)).status).toBe(200);
});
