import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishEvent } from '@facecast/shared/protocol/events';
import { consume } from '@facecast/shared/redis/queues';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { describe, expect, test } from 'vitest';
import { breakableRedis } from './testing/breakable-redis.js';
import { testGateway } from './testing/test-gateway.js';
import { IngestClient } from './testing/ingest-client.js';
import { testPlaylist } from './testing/test-playlist.js';
import { until } from './testing/until.js';
import { httpRefusal, metric, useGateways } from './testing/use-gateways.js';

const { redis, open, gatewayWith } = useGateways();

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

  test('a gateway that stops answers held requests', async () => {
    const gateway = await testGateway(redisUrl);
    await mkdir(join(gateway.hlsDir, 's'));
    await writeFile(join(gateway.hlsDir, 's', 'live.m3u8'), testPlaylist({ segments: 5 }));
    const answer = fetch(`${gateway.url}/hls/s/live.m3u8?_HLS_msn=5`);
    await until(
      async () => (await metric(gateway.url, 'facecast_playback_requests_waiting')) === 1,
    );
    await gateway.close();
    expect(await httpRefusal(answer)).toEqual([503, 'unavailable']);
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

  test('ready means: Redis, the HLS volume, and a worker in each stage', async () => {
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
    expect(await httpRefusal(stats)).toEqual([500, 'internal']);
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
