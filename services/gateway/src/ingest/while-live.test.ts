import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  EventSubscription,
  publishEvent,
  type FacecastEvent,
} from '@facecast/shared/protocol/events';
import { createLogger } from '@facecast/shared/runtime/logger';
import { describe, expect, test } from 'vitest';
import { IngestClient } from '../testing/ingest-client.js';
import { statsOf } from '../testing/test-stats.js';
import { numbered, upTo, useGateways } from '../testing/use-gateways.js';

const { redis, registry, open, gatewayWith, pipelineOf, queuedChunks } = useGateways();

describe('while live', () => {
  test('a publisher receives its own session’s events, with the number of viewers', async () => {
    const { ingestUrl } = await gatewayWith();
    const one = await IngestClient.start(ingestUrl);
    const two = await IngestClient.start(ingestUrl);
    const { sessionId } = one;
    await redis.zadd(`facecast:viewers:${sessionId}`, Date.now(), 'a', Date.now(), 'b');
    const playlistUrl = `/hls/${sessionId}/live.m3u8`;
    await publishEvent(redis, { type: 'playlist_ready', sessionId, playlistUrl });
    await publishEvent(redis, { type: 'stats', sessionId, stats: statsOf(sessionId) });
    expect(await one.message('playlist_ready')).toEqual({
      type: 'playlist_ready',
      sessionId,
      playlistUrl,
    });
    expect(await one.message('stats')).toEqual({
      type: 'stats',
      ...statsOf(sessionId),
      viewers: 2,
      heldBack: false,
    });
    await publishEvent(redis, { type: 'ended', sessionId: two.sessionId, frames: 0 });
    await two.message('ended');
    expect(two.received.map(({ type }) => type)).toEqual(['started', 'ended']);
  });

  test('playlist_ready is sent once, even if its event was lost', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    const { sessionId } = client;
    const stats = (state: 'starting' | 'live') =>
      publishEvent(redis, { type: 'stats', sessionId, stats: { ...statsOf(sessionId), state } });
    await stats('starting');
    await stats('live');
    await stats('live');
    const playlistUrl = `/hls/${sessionId}/live.m3u8`;
    await publishEvent(redis, { type: 'playlist_ready', sessionId, playlistUrl });
    await publishEvent(redis, { type: 'ended', sessionId, frames: 0 });
    await client.message('ended');
    const announcements = client.received.filter(({ type }) => type === 'playlist_ready');
    expect(announcements).toEqual([{ type: 'playlist_ready', sessionId, playlistUrl }]);
  });

  test('a new effect is registered and announced', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.live(ingestUrl);
    const { sessionId } = client;
    const events = await EventSubscription.open(redis, createLogger('gateway', 'silent'));
    open.push(events);
    const heard = new Promise<FacecastEvent>((resolve) => events.on(resolve));
    client.say({ type: 'effect', effect: 'pixelate' });
    expect(await heard).toEqual({ type: 'effect', sessionId, effect: 'pixelate' });
    expect(await registry.get(sessionId)).toMatchObject({ effect: 'pixelate' });
  });

  test('everything can be hidden and shown again, and the segmenter is told', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.say({ type: 'hide', hidden: true });
    client.chunks('chunk 0');
    await client.acknowledgedAtLeast(1);
    const { sessionId } = client;
    expect(await registry.get(sessionId)).toMatchObject({ hidden: true });
    client.say({ type: 'hide', hidden: false });
    const log = () => redis.xrange(`facecast:marked:${sessionId}`, '-', '+');
    await expect.poll(log).toHaveLength(1);
    expect((await log())[0]?.[1]).toEqual(['entry', JSON.stringify({ kind: 'wish changed' })]);
    expect(await registry.get(sessionId)).toMatchObject({ hidden: false });
  });

  test('a publisher is expected for as long as its socket is open, and a while longer', async () => {
    const { ingestUrl } = await gatewayWith({ RESUME_WINDOW_SECONDS: '1' });
    const { sessionId, socket } = await IngestClient.live(ingestUrl);
    const key = `facecast:publisher:${sessionId}`;
    let renewals = 0;
    for (let last = await redis.pttl(key); renewals < 4;) {
      const left = await redis.pttl(key);
      expect(left).toBeGreaterThan(0);
      if (left > last) renewals += 1;
      last = left;
    }
    socket.terminate();
    while (await registry.publisherExpected(sessionId));
    // The gateway does not end the input: that is for the session's frame-extractor.
    expect(await queuedChunks(sessionId)).toBe(1);
  });

  test('the time in which a publisher may come back begins when its socket closes', async () => {
    const { ingestUrl } = await gatewayWith({ RESUME_WINDOW_SECONDS: '60' });
    const { sessionId, socket } = await IngestClient.live(ingestUrl);
    const key = `facecast:publisher:${sessionId}`;
    // As long after the last renewal as can be.
    await redis.pexpire(key, 40_000);
    socket.terminate();
    let left: number;
    do expect((left = await redis.pttl(key))).toBeGreaterThan(0);
    while (left < 45_000);
  });

  test('a socket whose other end is dead is noticed', async () => {
    const { ingestUrl } = await gatewayWith({}, { pingMs: 250 });
    const dead = await IngestClient.start(ingestUrl, { autoPong: false });
    const alive = await IngestClient.start(ingestUrl);
    expect(await dead.closed()).toBe(1006);
    for (let pings = 0; pings < 3; pings++) await once(alive.socket, 'ping');
    expect(alive.closeCode).toBeUndefined();
  });
});

describe('the end', () => {
  test('stop: everything sent comes before the end, and ended says how much it was', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    const pipeline = pipelineOf(client);
    client.chunks(...numbered(25));
    client.say({ type: 'stop' });
    client.chunks('too late');
    client.say({ type: 'stop' });
    client.say({ type: 'effect', effect: 'none' });
    await pipeline.took(26);
    expect(pipeline.order).toEqual([...upTo(25), 'end']);
    expect(client.acknowledged).toBe(25);
    await pipeline.close({ isOver: true });
    await registry.remove(client.sessionId);
    await publishEvent(redis, { type: 'ended', sessionId: client.sessionId, frames: 75 });
    expect(await client.message('ended')).toEqual({ type: 'ended', frames: 75 });
    expect(await client.closed()).toBe(1000);
    expect(pipeline.jobs).toHaveLength(26);
    const leaseJobs = ['decode', 'segment'].map(
      (queue) => `facecast:queue:${queue}:${client.sessionId}`,
    );
    // The owner is kept as long as the session can be played and deleted.
    const owner = `facecast:session-owner:${client.sessionId}`;
    const left = (await redis.keys(`*${client.sessionId}*`)).filter(
      (key) => !key.startsWith('facecast:aof-rewrite:'),
    );
    expect(left.sort()).toEqual([...leaseJobs, owner]);
    expect(await redis.ttl(owner)).toBeGreaterThan(600);
  });

  test('stop counts from a client that leaves at once, too', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.chunks(...numbered(5));
    client.say({ type: 'stop' });
    client.socket.close();
    const pipeline = pipelineOf(client);
    await pipeline.took(6);
    expect(pipeline.order).toEqual([...upTo(5), 'end']);
  });

  test('a session that ends by itself ends the connection, and leaves nothing in Redis', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    const { sessionId } = client;
    client.chunks(...numbered(5));
    await client.acknowledgedAtLeast(5);
    await registry.remove(sessionId);
    client.chunks('after the end');
    await publishEvent(redis, {
      type: 'ended',
      sessionId,
      frames: 0,
      error: { code: 'unsupported_media', message: 'That is no video.' },
    });
    expect(await client.message('error')).toEqual({
      type: 'error',
      code: 'unsupported_media',
      message: 'That is no video.',
    });
    expect(await client.closed()).toBe(1003);
    const left = () => redis.keys(`facecast:queue:chunks-${sessionId}*`);
    while ((await left()).length > 0);
    while ((await redis.keys(`facecast:chunk:${sessionId}:*`)).length > 0);
  });

  test('an end whose event was lost is found by what the session left', async () => {
    const { ingestUrl, hlsDir } = await gatewayWith({}, { lookForEndMs: 10 });
    const client = await IngestClient.live(ingestUrl);
    const { sessionId } = client;
    client.say({ type: 'stop' });
    await mkdir(join(hlsDir, sessionId));
    const last = { ...statsOf(sessionId), state: 'ended', framesOut: 90 };
    await writeFile(join(hlsDir, sessionId, 'session.json'), JSON.stringify(last));
    await registry.remove(sessionId);
    expect(await client.message('ended')).toEqual({ type: 'ended', frames: 90 });
    expect(await client.closed()).toBe(1000);
  });

  test('the wait for an end that is never confirmed is bounded', async () => {
    const { ingestUrl } = await gatewayWith({}, { endMs: 30 });
    const client = await IngestClient.live(ingestUrl);
    client.say({ type: 'stop' });
    expect(await client.refused()).toEqual(['internal', 1011]);
  });
});
