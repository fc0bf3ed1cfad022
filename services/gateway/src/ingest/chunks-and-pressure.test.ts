import { ChunkStore } from '@facecast/shared/redis/chunks';
import { publishEvent } from '@facecast/shared/protocol/events';
import { describe, expect, test } from 'vitest';
import { IngestClient } from '../testing/ingest-client.js';
import { statsOf } from '../testing/test-stats.js';
import { numbered, upTo, useGateways } from '../testing/use-gateways.js';

const { redis, registry, gatewayWith, pipelineOf, waitingChunks } = useGateways();

describe('chunks', () => {
  test('are queued in order, whole, and acknowledged when they are', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    const before = Date.now();
    client.chunks(...numbered(60));
    await client.acknowledgedAtLeast(60);
    expect(await registry.get(client.sessionId)).toMatchObject({ chunks: 60 });
    const pipeline = pipelineOf(client);
    await pipeline.took(60);
    expect(pipeline.order).toEqual(upTo(60));
    expect(pipeline.texts).toEqual(numbered(60));
    for (const job of pipeline.jobs) {
      expect(job).toMatchObject({ receivedAt: expect.toSatisfy((t) => t >= before) as number });
    }
  });

  test('after a restart begin another input stream of the same session, with the next number', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.chunks('chunk 0', 'chunk 1');
    client.say({ type: 'restart', mimeType: 'video/webm' });
    client.say({ type: 'restart', mimeType: 'video/mp4' });
    client.chunks('chunk 2', 'chunk 3');
    await client.acknowledgedAtLeast(4);
    const pipeline = pipelineOf(client);
    await pipeline.took(4);
    expect(pipeline.order).toEqual(upTo(4));
    const types = pipeline.jobs.map((job) => (job.kind === 'chunk' ? job.mimeType : undefined));
    expect(types).toEqual([undefined, undefined, 'video/mp4', undefined]);
  });

  test('each ack is cumulative and names only what is in Redis', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    const chunks = new ChunkStore(redis);
    client.chunks(...numbered(20));
    await client.acknowledgedAtLeast(1);
    expect(await chunks.read(client.sessionId, client.acknowledged - 1)).toBeDefined();
    await client.acknowledgedAtLeast(20);
    const counts = client.received.flatMap((message) =>
      message.type === 'ack' ? [message.chunks] : [],
    );
    expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
    expect(counts.at(-1)).toBe(20);
    expect(await waitingChunks(client.sessionId)).toBe(20);
  });

  test('that are empty are passed over', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.chunks('', 'a', '', 'b');
    await client.acknowledgedAtLeast(2);
    const pipeline = pipelineOf(client);
    await pipeline.took(2);
    expect(pipeline.texts).toEqual(['a', 'b']);
  });

  test('of two sessions do not touch each other', async () => {
    const { ingestUrl } = await gatewayWith();
    const one = await IngestClient.start(ingestUrl);
    const two = await IngestClient.start(ingestUrl);
    one.chunks('one');
    two.chunks('two', 'two');
    await Promise.all([one.acknowledgedAtLeast(1), two.acknowledgedAtLeast(2)]);
    expect(await waitingChunks(one.sessionId)).toBe(1);
    expect(await waitingChunks(two.sessionId)).toBe(2);
  });
});

describe('pressure', () => {
  test('a queue that nobody empties stops the reading; once it is emptied all goes on, in order', async () => {
    const { ingestUrl } = await gatewayWith(
      {},
      { waitingChunks: 20, lookEveryChunks: 5, lookAgainMs: 5, unacknowledgedChunks: 4 },
    );
    const client = await IngestClient.start(ingestUrl);
    const big = 'x'.repeat(64 * 1024);
    client.chunks(...numbered(200).map((text) => text.padEnd(64 * 1024, 'x')));
    await client.acknowledgedAtLeast(21);
    expect(await waitingChunks(client.sessionId)).toBeLessThan(120);
    const pipeline = pipelineOf(client);
    await pipeline.took(200);
    await client.acknowledgedAtLeast(200);
    expect(pipeline.order).toEqual(upTo(200));
    expect(pipeline.texts.every((text) => text.length === big.length)).toBe(true);
  });

  test('bytes count as well as chunks', async () => {
    const { ingestUrl } = await gatewayWith(
      {},
      { waitingBytes: 1_000_000, lookEveryBytes: 300_000, lookAgainMs: 5, fullMs: 20 },
    );
    const client = await IngestClient.start(ingestUrl);
    client.chunks(...Array.from({ length: 6 }, () => 'x'.repeat(500_000)));
    expect(await client.refused()).toEqual(['overloaded', 1013]);
    expect(await waitingChunks(client.sessionId)).toBeLessThanOrEqual(6);
  });

  test('a queue that stays full ends the connection with overloaded', async () => {
    const { ingestUrl } = await gatewayWith(
      {},
      { waitingChunks: 5, lookEveryChunks: 2, lookAgainMs: 5, fullMs: 20 },
    );
    const client = await IngestClient.start(ingestUrl);
    client.chunks(...numbered(10));
    expect(await client.refused()).toEqual(['overloaded', 1013]);
  });

  test('a sender that is held back while the pipeline works is waited for, also after its stop', async () => {
    const patienceMs = 700;
    const { ingestUrl } = await gatewayWith(
      {},
      {
        ...{ waitingChunks: 10, lookEveryChunks: 2, lookAgainMs: 5 },
        ...{ fullMs: patienceMs, endMs: patienceMs },
      },
    );
    const clients = [await IngestClient.start(ingestUrl), await IngestClient.start(ingestUrl)];
    const [full, stopped] = clients as [IngestClient, IngestClient];
    full.chunks(...numbered(20));
    stopped.chunks('chunk 0');
    stopped.say({ type: 'stop' });
    const begun = performance.now();
    for (let framesOut = 1; performance.now() - begun < 2.5 * patienceMs; framesOut++) {
      for (const { sessionId, received } of clients) {
        const told = received.length;
        const stats = { ...statsOf(sessionId), framesOut };
        await publishEvent(redis, { type: 'stats', sessionId, stats });
        await expect.poll(() => received.length, { interval: 5 }).toBeGreaterThan(told);
      }
    }
    for (const { received } of clients)
      expect(received.filter(({ type }) => type === 'error')).toEqual([]);
    expect(await full.refused()).toEqual(['overloaded', 1013]);
    expect(await stopped.refused()).toEqual(['internal', 1011]);
  });
});
