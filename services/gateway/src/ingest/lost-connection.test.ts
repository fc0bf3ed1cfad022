import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IngestClient } from '../testing/ingest-client.js';
import { statsOf } from '../testing/test-stats.js';
import { numbered, upTo, useGateways } from '../testing/use-gateways.js';

const { registry, gatewayWith, pipelineOf } = useGateways();

describe('a lost connection', () => {
  const resumed = async (ingestUrl: string, { started }: IngestClient) => {
    const client = await IngestClient.connect(ingestUrl);
    client.say({ ...started, type: 'resume' });
    return client;
  };

  test('is resumed at the first chunk that is not queued: each comes once, in order', async () => {
    const { ingestUrl } = await gatewayWith();
    const lost = await IngestClient.start(ingestUrl);
    const pipeline = pipelineOf(lost);
    lost.chunks(...numbered(10));
    await lost.acknowledgedAtLeast(10);
    lost.socket.terminate();
    const client = await resumed(ingestUrl, lost);
    expect(await client.message('resumed')).toEqual({ type: 'resumed', chunks: 10 });
    client.chunks('chunk 10', 'chunk 11');
    await client.acknowledgedAtLeast(12);
    client.say({ type: 'stop' });
    await pipeline.took(13);
    expect(pipeline.order).toEqual([...upTo(12), 'end']);
    expect(pipeline.texts).toEqual(numbered(12));
  });

  test('what had arrived when it was lost counts as sent', async () => {
    const { ingestUrl } = await gatewayWith();
    const lost = await IngestClient.start(ingestUrl);
    lost.chunks(...numbered(30));
    lost.socket.close();
    await lost.closed();
    const client = await resumed(ingestUrl, lost);
    expect(await client.message('resumed')).toEqual({ type: 'resumed', chunks: 30 });
  });

  test('empty chunks count in the number at which it is resumed', async () => {
    const { ingestUrl } = await gatewayWith();
    const lost = await IngestClient.start(ingestUrl);
    lost.chunks('a', '', 'b', '');
    await lost.acknowledgedAtLeast(4);
    lost.socket.terminate();
    const client = await resumed(ingestUrl, lost);
    expect(await client.message('resumed')).toEqual({ type: 'resumed', chunks: 4 });
  });

  test('may be resumed through another gateway', async () => {
    const first = await gatewayWith();
    const second = await gatewayWith();
    const lost = await IngestClient.start(first.ingestUrl);
    lost.chunks('a');
    await lost.acknowledgedAtLeast(1);
    lost.socket.terminate();
    const client = await resumed(second.ingestUrl, lost);
    expect(await client.message('resumed')).toEqual({ type: 'resumed', chunks: 1 });
  });

  test('that is only half lost is replaced by the new one', async () => {
    const { ingestUrl } = await gatewayWith();
    const older = await IngestClient.start(ingestUrl);
    older.chunks('a');
    const newer = await resumed(ingestUrl, older);
    await newer.message('resumed');
    expect(await older.refused()).toEqual(['bad_message', 1008]);
    newer.chunks('b');
    await newer.acknowledgedAtLeast(2);
  });

  test('that is only half lost is replaced by one through another gateway, and disturbs nothing', async () => {
    const [first, second] = [await gatewayWith(), await gatewayWith()];
    const older = await IngestClient.start(first.ingestUrl);
    const pipeline = pipelineOf(older);
    older.chunks('chunk 0');
    await older.acknowledgedAtLeast(1);
    const newer = await resumed(second.ingestUrl, older);
    expect(await newer.message('resumed')).toEqual({ type: 'resumed', chunks: 1 });
    newer.chunks('chunk 1', 'chunk 2');
    await newer.acknowledgedAtLeast(3);
    older.chunks('chunk 1');
    expect(await older.refused()).toEqual(['bad_message', 1008]);
    expect(older.acknowledged).toBe(1);
    newer.chunks('chunk 3');
    newer.say({ type: 'stop' });
    await expect.poll(() => pipeline.order.at(-1)).toBe('end');
    expect((await registry.get(older.sessionId))?.chunks).toBe(4);
    // Chunks of the older one may be queued again, but the frame-extractor skips repeated numbers.
    expect([...new Set(pipeline.order)]).toEqual([...upTo(4), 'end']);
    expect([...new Set(pipeline.texts)]).toEqual(numbered(4));
  });

  test('that is only half lost cannot end a session that goes on through another gateway', async () => {
    const [first, second] = [await gatewayWith(), await gatewayWith()];
    const older = await IngestClient.live(first.ingestUrl);
    const pipeline = pipelineOf(older);
    const newer = await resumed(second.ingestUrl, older);
    await newer.message('resumed');
    older.say({ type: 'stop' });
    expect(await older.refused()).toEqual(['bad_message', 1008]);
    newer.chunks('chunk 1');
    await pipeline.took(2);
    expect(pipeline.order).toEqual([0, 1]);
  });

  test('is resumed only once if it is resumed twice at once', async () => {
    const [first, second] = [await gatewayWith(), await gatewayWith()];
    const lost = await IngestClient.live(first.ingestUrl);
    lost.socket.terminate();
    const both = await Promise.all([first, second].map((each) => resumed(each.ingestUrl, lost)));
    for (const client of both)
      await Promise.race([client.message('resumed'), client.closed()]).catch(() => {});
    for (const client of both) if (client.closeCode === undefined) client.chunks('chunk 1');
    await expect.poll(() => both.filter((client) => client.acknowledged === 2).length).toBe(1);
    await expect.poll(() => both.filter((client) => client.closeCode === 1008).length).toBe(1);
  });

  test('whose gateway died between storing chunks and queueing them loses none', async () => {
    const { ingestUrl } = await gatewayWith();
    const lost = await IngestClient.live(ingestUrl);
    const { sessionId } = lost;
    const pipeline = pipelineOf(lost);
    lost.socket.terminate();
    const stored = [1, 2].map((n) => ({ kind: 'chunk', n, receivedAt: 1 }) as const);
    const bytes = ['chunk 1', 'chunk 2'].map((text) => Buffer.from(text));
    await registry.storeChunks(sessionId, 0, stored, bytes);
    const client = await resumed(ingestUrl, lost);
    expect(await client.message('resumed')).toEqual({ type: 'resumed', chunks: 3 });
    client.chunks('chunk 3');
    await pipeline.took(4);
    expect(pipeline.texts).toEqual(numbered(4));
  });

  test.each([
    ['how many frames it had', undefined, { type: 'ended', frames: 90 }, 1000],
    ['what was wrong', { code: 'internal', message: 'No.' }, { type: 'error' }, 1011],
  ])('of a session that has ended meanwhile is told %s', async (_, error, message, closeCode) => {
    const { ingestUrl, hlsDir } = await gatewayWith();
    const lost = await IngestClient.start(ingestUrl);
    const { sessionId } = lost;
    lost.socket.terminate();
    await mkdir(join(hlsDir, sessionId));
    const last = { ...statsOf(sessionId), state: 'ended', framesOut: 90, error };
    await writeFile(join(hlsDir, sessionId, 'session.json'), JSON.stringify(last));
    await registry.remove(sessionId);
    const client = await resumed(ingestUrl, lost);
    expect(await client.closed()).toBe(closeCode);
    expect(client.received).toEqual([{ ...message, ...error }]);
  });

  test('hears again that the playlist can be played', async () => {
    const { ingestUrl } = await gatewayWith();
    const lost = await IngestClient.live(ingestUrl);
    await registry.update(lost.sessionId, { state: 'live' });
    const client = await resumed(ingestUrl, lost);
    expect(await client.message('playlist_ready')).toMatchObject({ sessionId: lost.sessionId });
  });

  test('is not resumed with a wrong token, nor after the end', async () => {
    const { ingestUrl } = await gatewayWith();
    const { started, sessionId } = await IngestClient.live(ingestUrl);
    const thief = await IngestClient.connect(ingestUrl);
    thief.say({ type: 'resume', sessionId, resumeToken: `${started.resumeToken}x` });
    expect(await thief.refused()).toEqual(['unauthorized', 1008]);
    await registry.remove(sessionId);
    const late = await IngestClient.connect(ingestUrl);
    late.say({ ...started, type: 'resume' });
    expect(await late.refused()).toEqual(['not_found', 1008]);
  });
});
