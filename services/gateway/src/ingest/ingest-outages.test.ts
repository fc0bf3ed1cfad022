import { once } from 'node:events';
import { connectRedis } from '@facecast/shared/redis/redis';
import { createLogger } from '@facecast/shared/runtime/logger';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { describe, expect, test } from 'vitest';
import { breakableRedis } from '../testing/breakable-redis.js';
import { testGateway } from '../testing/test-gateway.js';
import { IngestClient } from '../testing/ingest-client.js';
import { numbered, START, upTo, useGateways } from '../testing/use-gateways.js';

const { registry, open, gatewayWith, pipelineOf, queuedChunks } = useGateways();

describe('Redis', () => {
  test('being gone for a moment costs no chunk, and no chunk its place', async () => {
    const way = await breakableRedis(redisUrl);
    open.push(way);
    const { ingestUrl } = await gatewayWith({ REDIS_URL: way.url }, { retryMs: 10 });
    const client = await IngestClient.start(ingestUrl);
    const pipeline = pipelineOf(client);
    client.chunks(...numbered(5));
    await client.acknowledgedAtLeast(5);
    way.cut();
    client.chunks(...numbered(15).slice(5));
    client.socket.ping();
    await once(client.socket, 'pong');
    way.mend();
    await client.acknowledgedAtLeast(15);
    await pipeline.took(15);
    expect([...new Set(pipeline.order)]).toEqual(upTo(15));
  });

  test('being gone for good fails a command that is under way', async () => {
    const way = await breakableRedis(redisUrl);
    open.push(way);
    const producer = connectRedis(way.url, 'producer', createLogger('test', 'silent'));
    await producer.ping();
    const underWay = producer.ping();
    way.cut();
    await expect(underWay).rejects.toThrow('Command timed out');
    producer.disconnect();
  });

  test('being gone for good ends the connection with internal, and a start is not kept waiting', async () => {
    const way = await breakableRedis(redisUrl);
    open.push(way);
    const { ingestUrl } = await gatewayWith({ REDIS_URL: way.url }, { retryMs: 10, outageMs: 50 });
    const running = await IngestClient.start(ingestUrl);
    const starting = await IngestClient.connect(ingestUrl);
    way.cut();
    running.chunks('a');
    starting.say(START);
    expect(await running.refused()).toEqual(['internal', 1011]);
    expect(await starting.refused()).toEqual(['internal', 1011]);
  });
});

test('a gateway that stops makes safe what has arrived, and sends its publishers elsewhere', async () => {
  const gateway = await testGateway(redisUrl);
  const client = await IngestClient.start(gateway.ingestUrl);
  const silent = await IngestClient.connect(gateway.ingestUrl);
  client.chunks(...numbered(10));
  await client.acknowledgedAtLeast(1);
  await gateway.close();
  expect(await client.closed()).toBe(1012);
  expect(await silent.closed()).toBe(1012);
  const session = await registry.get(client.sessionId);
  expect(session?.chunks).toBe(client.acknowledged);
  expect(await queuedChunks(client.sessionId)).toBe(client.acknowledged);
});

test('a gateway that stops does not wait for a client that does not answer', async () => {
  const gateway = await testGateway(redisUrl);
  const client = await IngestClient.start(gateway.ingestUrl);
  client.socket.pause();
  await gateway.close();
  client.socket.terminate();
});
