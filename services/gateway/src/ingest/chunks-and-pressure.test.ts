import { ChunkStore } from '@facecast/shared/redis/chunks';
import { publishEvent } from '@facecast/shared/protocol/events';
import { describe, expect, test } from 'vitest';
import { IngestClient } from '../testing/ingest-client.js';
import { statsOf } from '../testing/test-stats.js';
import { until } from '../testing/until.js';
import { numbered, upTo, useGateways } from '../testing/use-gateways.js';

const { redis, registry, gatewayWith, pipelineOf, queuedChunks } = useGateways();

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
    expect(await queuedChunks(client.sessionId)).toBe(20);
  });

  test('that are empty count like others', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.chunks('', 'a', '', 'b', '');
    await client.acknowledgedAtLeast(5);
    const pipeline = pipelineOf(client);
    await pipeline.took(5);
    expect(pipeline.texts).toEqual(['', 'a', '', 'b', '']);
    expect(client.acknowledged).toBe(5);
  });

  test('of two sessions do not touch each other', async () => {
    const { ingestUrl } = await gatewayWith();
    const one = await IngestClient.start(ingestUrl);
    const two = await IngestClient.start(ingestUrl);
    one.chunks('one');
    two.chunks('two', 'two');
    await Promise.all([one.acknowledgedAtLeast(1), two.acknowledgedAtLeast(2)]);
    expect(await queuedChunks(one.sessionId)).toBe(1);
    expect(await queuedChunks(two.sessionId)).toBe(2);
  });
});

describe('pressure', () => {
  test('a full queue stops the reading; once it is emptied, all goes on in order', async () => {
    const { ingestUrl } = await gatewayWith(
      {},
      { queuedChunks: 20, lookEveryChunks: 5, lookAgainMs: 5, unacknowledgedChunks: 4 },
    );
    const client = await IngestClient.start(ingestUrl);
    const big = 'x'.repeat(64 * 1024);
    client.chunks(...numbered(200).map((text) => text.padEnd(64 * 1024, 'x')));
    await client.acknowledgedAtLeast(21);
    expect(await queuedChunks(client.sessionId)).toBeLessThan(120);
    const pipeline = pipelineOf(client);
    await pipeline.took(200);
    await client.acknowledgedAtLeast(200);
    expect(pipeline.order).toEqual(upTo(200));
    expect(pipeline.texts.every((text) => text.length === big.length)).toBe(true);
  });

  test('bytes count as well as chunks', async () => {
    const { ingestUrl } = await gatewayWith(
      {},
      { queuedBytes: 1_000_000, lookEveryBytes: 300_000, lookAgainMs: 5, fullMs: 20 },
    );
    const client = await IngestClient.start(ingestUrl);
    client.chunks(...Array.from({ length: 6 }, () => 'x'.repeat(500_000)));
    expect(await client.refused()).toEqual(['overloaded', 1013]);
    expect(await queuedChunks(client.sessionId)).toBeLessThanOrEqual(6);
  });

  test('a queue that stays full ends the connection with overloaded', async () => {
    const { ingestUrl } = await gatewayWith(
      {},
      { queuedChunks: 5, lookEveryChunks: 2, lookAgainMs: 5, fullMs: 20 },
    );
    const client = await IngestClient.start(ingestUrl);
    client.chunks(...numbered(10));
    expect(await client.refused()).toEqual(['overloaded', 1013]);
  });

  test('a sender that is held back while the pipeline makes progress is not refused, also after its stop', async () => {
    // Whoever hears of no progress for as long as the gateway is patient is refused: on a machine that
    // cannot tell of it in time, a gateway that is more patient is asked.
    for (let patienceMs = 200; ; patienceMs *= 2) {
      const clients = await clientsOf(patienceMs);
      const longestMs = await progress(clients, 2.5 * patienceMs);
      if (longestMs >= patienceMs) continue;
      for (const { received } of clients)
        expect(received.filter(({ type }) => type === 'error')).toEqual([]);
      const [full, stopped] = clients;
      expect(await full.refused()).toEqual(['overloaded', 1013]);
      expect(await stopped.refused()).toEqual(['internal', 1011]);
      return;
    }
  });

  /** Of a gateway that waits so long for progress. */
  async function clientsOf(patienceMs: number): Promise<[IngestClient, IngestClient]> {
    const { ingestUrl } = await gatewayWith(
      {},
      {
        ...{ queuedChunks: 10, lookEveryChunks: 2, lookAgainMs: 5 },
        ...{ fullMs: patienceMs, endMs: patienceMs },
      },
    );
    return [await IngestClient.start(ingestUrl), await IngestClient.start(ingestUrl)];
  }

  /**
   * One fills its queue, the other stops; then there is progress for a while, unless one is refused. Resolves
   * to the longest that one may have heard of none, in milliseconds.
   */
  async function progress(
    [full, stopped]: [IngestClient, IngestClient],
    forMs: number,
  ): Promise<number> {
    const begun = performance.now();
    full.chunks(...numbered(20));
    stopped.chunks('chunk 0');
    stopped.say({ type: 'stop' });
    const toldAt = new Map([full, stopped].map((client) => [client, begun]));
    let longestMs = 0;
    const isRefused = () =>
      [...toldAt.keys()].some(({ received }) => received.some(({ type }) => type === 'error'));
    for (let n = 1; performance.now() - begun < forMs && !isRefused(); n++)
      for (const [client, before] of toldAt) {
        toldAt.set(client, performance.now());
        await tellProgress(client, n);
        longestMs = Math.max(longestMs, performance.now() - before);
      }
    return Math.max(longestMs, ...[...toldAt.values()].map((at) => performance.now() - at));
  }

  /** Resolves when the gateway knows, or has refused the client. */
  async function tellProgress(client: IngestClient, framesOut: number): Promise<void> {
    const { sessionId } = client;
    const stats = { ...statsOf(sessionId), framesOut };
    await publishEvent(redis, { type: 'stats', sessionId, stats });
    await until(() => {
      const last = client.received.findLast(({ type }) => type === 'stats' || type === 'error');
      return last?.type === 'error' || (last?.type === 'stats' && last.framesOut === framesOut);
    });
  }
});
