import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { publishEvent } from '@facecast/shared/protocol/events';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { describe, expect, test } from 'vitest';
import { testGateway, type TestGateway } from '../testing/test-gateway.js';
import { statsOf } from '../testing/test-stats.js';
import { httpRefusal, useGateways } from '../testing/use-gateways.js';

const { redis, registry, gatewayWith, runningSession } = useGateways();

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

  test('is one JSON line for each frame', async () => {
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

  test('is complete however long it is', async () => {
    const long = lines(...Array.from({ length: 20_000 }, (_, n) => n));
    const [url] = await session(await gatewayWith(), long);
    expect(await (await fetch(url)).text()).toBe(long);
  });

  test('can be followed as it grows, in whole lines, until the session ends', async () => {
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

  test('that is followed ends with its range, with its gateway, or at once if the session has ended', async () => {
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
      expect(await httpRefusal(fetch(url + query))).toEqual([400, 'bad_request']);
    },
  );

  test('of no session is a 404', async () => {
    const { url } = await gatewayWith();
    const faces = fetch(`${url}/api/sessions/nobody/faces`);
    expect(await httpRefusal(faces)).toEqual([404, 'not_found']);
  });
});
