import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChunkStore } from '@facecast/shared/redis/chunks';
import {
  EventSubscription,
  publishEvent,
  type FacecastEvent,
} from '@facecast/shared/protocol/events';
import { JobQueue } from '@facecast/shared/redis/queues';
import { connectRedis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/sessions';
import { Redis } from 'ioredis';
import { createLogger } from '@facecast/shared/runtime/logger';
import { redisUrl } from '@facecast/shared/testing/redis';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { breakableRedis } from '../testing/breakable-redis.js';
import { testGateway, type TestGateway } from '../testing/gateway.js';
import { IngestClient } from '../testing/ingest-client.js';
import { TestPipeline } from '../testing/pipeline.js';
import type { IngestLimits } from './limits.js';
import { statsOf } from '../testing/stats.js';

const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
const registry = new SessionRegistry(redis);
const open: { close: () => Promise<void> }[] = [];

beforeEach(() => redis.flushall());
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close();
});
afterAll(() => redis.quit());

async function gatewayWith(
  settings: Record<string, string> = {},
  limits: Partial<IngestLimits> = {},
): Promise<TestGateway> {
  const gateway = await testGateway(settings['REDIS_URL'] ?? redisUrl, settings, limits);
  open.push(gateway);
  return gateway;
}

function pipelineOf({ sessionId }: { sessionId: string }): TestPipeline {
  const pipeline = new TestPipeline(redis, sessionId);
  open.push(pipeline);
  return pipeline;
}

const waitingChunks = async (sessionId: string) => {
  const queue = new JobQueue<'chunks'>(redis, { kind: 'chunks', sessionId });
  const waiting = await queue.waiting();
  await queue.close();
  return waiting;
};

const START = { type: 'start', mimeType: 'video/webm' };
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `chunk ${n}`);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('start', () => {
  test('answers with where to watch, under an id and a token that nobody can guess', async () => {
    const { ingestUrl } = await gatewayWith();
    const { started } = await IngestClient.start(ingestUrl);
    expect(started).toEqual({
      type: 'started',
      sessionId: expect.stringMatching(/^[\w-]{22}$/) as string,
      resumeToken: expect.stringMatching(/^[\w-]{22}$/) as string,
      playlistUrl: `/hls/${started.sessionId}/live.m3u8`,
      watchUrl: `/watch/${started.sessionId}`,
      keptMinutes: 10,
    });
  });

  test('takes a place with the first media: registers the session and puts out one claim for each stage that has state', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.connect(ingestUrl);
    client.say({ type: 'start', mimeType: 'video/mp4', effect: 'blur' });
    const { sessionId } = await client.message('started');
    expect(await registry.get(sessionId)).toBeUndefined();
    client.chunks('first');
    await client.acknowledgedAtLeast(1);
    expect(await registry.get(sessionId)).toMatchObject({
      mimeType: 'video/mp4',
      effect: 'blur',
      state: 'starting',
    });
    expect(await registry.publisherExpected(sessionId)).toBe(true);
    expect(await redis.lrange('facecast:queue:decode:wait', 0, -1)).toEqual([sessionId]);
    expect(await redis.lrange('facecast:queue:segment:wait', 0, -1)).toEqual([sessionId]);
  });

  test('a client that says start and sends nothing takes no place, and is closed after a while', async () => {
    const { ingestUrl } = await gatewayWith({ MAX_SESSIONS: '1' }, { firstMediaMs: 200 });
    const idle = [await IngestClient.start(ingestUrl), await IngestClient.start(ingestUrl)];
    for (const client of idle) client.chunks('');
    const real = await IngestClient.live(ingestUrl);
    for (const client of idle) expect(await client.refused()).toEqual(['bad_message', 1008]);
    expect(await registry.ids()).toEqual([real.sessionId]);
    real.chunks('chunk 1');
    await real.acknowledgedAtLeast(2);
  });

  test('a session that replaces another of the same publisher takes its place, and that one is deleted', async () => {
    const { ingestUrl, url } = await gatewayWith({ MAX_SESSIONS: '1' });
    const preview = await IngestClient.live(ingestUrl);
    const { sessionId, resumeToken } = preview.started;
    const stranger = await IngestClient.connect(ingestUrl);
    stranger.say({ ...START, replaces: { sessionId, resumeToken: 'guessed' } });
    expect(await stranger.refused()).toEqual(['unauthorized', 1008]);
    const live = await IngestClient.connect(ingestUrl);
    live.say({ ...START, replaces: { sessionId, resumeToken } });
    await live.message('started');
    expect((await fetch(`${url}/api/sessions/${sessionId}`)).status).toBe(200);
    live.chunks('chunk 0');
    await live.acknowledgedAtLeast(1);
    expect((await fetch(`${url}/api/sessions/${sessionId}`)).status).toBe(404);
    expect((await registry.ids()).sort()).toEqual([sessionId, live.sessionId].sort());
    const other = await IngestClient.connect(ingestUrl);
    other.say(START);
    expect(await other.refused()).toEqual(['too_many_sessions', 1013]);
  });

  test('of two that started, one has the last place: whose media comes first', async () => {
    const { ingestUrl } = await gatewayWith({ MAX_SESSIONS: '1' });
    const late = await IngestClient.start(ingestUrl);
    await IngestClient.live(ingestUrl);
    late.chunks('chunk 0', 'chunk 1');
    expect(await late.refused()).toEqual(['too_many_sessions', 1013]);
  });

  test('an effect that is changed before the first media is the session’s', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.say({ type: 'effect', effect: 'black' });
    client.chunks('chunk 0');
    await client.acknowledgedAtLeast(1);
    expect(await registry.get(client.sessionId)).toMatchObject({ effect: 'black' });
  });

  test('a stop before any media ends what never was, and leaves nothing', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.say({ type: 'stop' });
    expect(await client.message('ended')).toEqual({ type: 'ended', frames: 0 });
    expect(await client.closed()).toBe(1000);
    await expect.poll(() => redis.keys(`*${client.sessionId}*`)).toEqual([]);
  });
});

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

  test('after a restart begin another recording of the same session, with the next number', async () => {
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

describe('what cannot be taken is refused with the protocol’s code, and closed', () => {
  type Misdeed = (client: IngestClient) => unknown;
  const afterStart =
    (misdeed: Misdeed): Misdeed =>
    async (client) => {
      client.say(START);
      await client.message('started');
      await misdeed(client);
    };
  const text = (content: string) => (client: IngestClient) => client.socket.send(content);
  const bytes = (size: number) => (client: IngestClient) => client.socket.send(Buffer.alloc(size));

  test.each<[what: string, Misdeed, code: string, closeCode: number]>([
    ['text that is not JSON', text('hello'), 'bad_message', 1008],
    ['JSON that is not the protocol', text('{"type":"dance"}'), 'bad_message', 1008],
    ['JSON that is no object', text('null'), 'bad_message', 1008],
    ['media before started', bytes(10), 'bad_message', 1008],
    ['stop before start', (c) => c.say({ type: 'stop' }), 'bad_message', 1008],
    [
      'an effect before start',
      (c) => c.say({ type: 'effect', effect: 'box' }),
      'bad_message',
      1008,
    ],
    ['an unknown effect', (c) => c.say({ ...START, effect: 'hat' }), 'bad_message', 1008],
    ['a second start', afterStart((c) => c.say(START)), 'bad_message', 1008],
    ['two starts at once', (c) => (c.say(START), c.say(START)), 'bad_message', 1008],
    ['noise after start', afterStart(text('}{')), 'bad_message', 1008],
    [
      'a restart with a picture',
      afterStart((c) => c.say({ type: 'restart', mimeType: 'image/jpeg' })),
      'unsupported_media',
      1003,
    ],
    [
      'a picture',
      (c) => c.say({ type: 'start', mimeType: 'image/jpeg' }),
      'unsupported_media',
      1003,
    ],
    [
      'a playlist',
      (c) => c.say({ ...START, mimeType: 'audio/mpegurl' }),
      'unsupported_media',
      1003,
    ],
    ['a text over the limit', text('x'.repeat(16 * 1024 + 1)), 'too_large', 1009],
    ['a chunk over the limit', afterStart(bytes(100_001)), 'too_large', 1009],
    ['one far over the limit', afterStart(bytes(30_000_000)), 'too_large', 1009],
    ['a session that is not', (c) => c.say(resume('x', 'y')), 'not_found', 1008],
    ['a session with a strange id', (c) => c.say(resume('../:*', 'y')), 'not_found', 1008],
  ])('%s', async (_what, misdeed, code, closeCode) => {
    const { ingestUrl } = await gatewayWith({ MAX_CHUNK_BYTES: '100000' });
    const client = await IngestClient.connect(ingestUrl);
    await misdeed(client);
    expect(await client.refused()).toEqual([code, closeCode]);
  });

  const resume = (sessionId: string, resumeToken: string) => ({
    type: 'resume',
    sessionId,
    resumeToken,
  });

  test('a chunk of just the limit is taken', async () => {
    const { ingestUrl } = await gatewayWith({ MAX_CHUNK_BYTES: '100000' });
    const client = await IngestClient.start(ingestUrl);
    client.socket.send(Buffer.alloc(100_000));
    await client.acknowledgedAtLeast(1);
  });

  test('frames that are not WebSocket', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.connect(ingestUrl);
    const { _socket: raw } = client.socket as unknown as { _socket: NodeJS.WritableStream };
    raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    expect((await client.refused())[0]).toBe('bad_message');
  });

  test('a page from elsewhere', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.connect(ingestUrl, { origin: 'http://evil.example' });
    expect(await client.refused()).toEqual(['origin_not_allowed', 1008]);
  });

  test('but not the gateway’s own page, nor one that is listed', async () => {
    const own = await gatewayWith();
    await IngestClient.start(own.ingestUrl, { origin: own.url });
    const listed = await gatewayWith({ ALLOWED_ORIGINS: 'https://cam.example' });
    await IngestClient.start(listed.ingestUrl, { origin: 'https://cam.example' });
    await IngestClient.start(listed.ingestUrl, { origin: listed.url });
    const client = await IngestClient.connect(listed.ingestUrl, { origin: 'http://cam.example' });
    expect(await client.refused()).toEqual(['origin_not_allowed', 1008]);
  });

  test('a proxy’s word for the host counts only where one is trusted', async () => {
    const headers = { origin: 'https://cam.example', 'x-forwarded-host': 'cam.example' };
    const trusting = await gatewayWith({ TRUST_PROXY: '1', PUBLIC_URL: 'https://cam.example' });
    await IngestClient.start(trusting.ingestUrl, { headers });
    const wary = await gatewayWith();
    const client = await IngestClient.connect(wary.ingestUrl, { headers });
    expect(await client.refused()).toEqual(['origin_not_allowed', 1008]);
  });

  test('a publisher without the token, where there is one', async () => {
    const { ingestUrl } = await gatewayWith({ PUBLISH_TOKEN: 'open sesame' });
    for (const token of [undefined, '', 'open sesam', 'open sesame!']) {
      const client = await IngestClient.connect(ingestUrl);
      client.say({ ...START, token });
      expect(await client.refused()).toEqual(['unauthorized', 1008]);
    }
    const client = await IngestClient.connect(ingestUrl);
    client.say({ ...START, token: 'open sesame' });
    await client.message('started');
  });

  test('one session more than may run', async () => {
    const { ingestUrl } = await gatewayWith({ MAX_SESSIONS: '2' });
    const first = await IngestClient.live(ingestUrl);
    await IngestClient.live(ingestUrl);
    const third = await IngestClient.connect(ingestUrl);
    third.say(START);
    expect(await third.refused()).toEqual(['too_many_sessions', 1013]);
    await registry.remove(first.sessionId);
    await IngestClient.start(ingestUrl);
  });

  test('a session that the detectors could not bear beside those that run', async () => {
    const { ingestUrl } = await gatewayWith();
    const running = await IngestClient.start(ingestUrl);
    const { sessionId } = running;
    for (const frames of [0, 300]) {
      const stats = { ...statsOf(sessionId), framesOut: frames, framesUndetected: frames };
      await publishEvent(redis, { type: 'stats', sessionId, stats });
    }
    await expect
      .poll(() => running.received.filter(({ type }) => type === 'stats'))
      .toHaveLength(2);
    const client = await IngestClient.connect(ingestUrl);
    client.say(START);
    expect(await client.refused()).toEqual(['overloaded', 1013]);
    await publishEvent(redis, { type: 'ended', sessionId, frames: 300 });
    await running.closed();
    await IngestClient.start(ingestUrl);
  });

  test('one connection more than may be open', async () => {
    const { ingestUrl } = await gatewayWith({}, { sockets: 1 });
    await IngestClient.connect(ingestUrl);
    const second = await IngestClient.connect(ingestUrl);
    expect(await second.refused()).toEqual(['overloaded', 1013]);
  });

  test('sockets that send nothing: so many of one client, while who sends has no part in it', async () => {
    const { ingestUrl } = await gatewayWith({}, { idleSocketsPerClient: 2 });
    const first = await IngestClient.live(ingestUrl);
    await IngestClient.live(ingestUrl);
    await IngestClient.start(ingestUrl);
    const idle = await IngestClient.connect(ingestUrl);
    const third = await IngestClient.connect(ingestUrl);
    expect(await third.refused()).toEqual(['overloaded', 1013]);
    idle.socket.close();
    await idle.closed();
    await IngestClient.live(ingestUrl);
    first.chunks('chunk 1');
    await first.acknowledgedAtLeast(2);
  });

  test('a first message that is large and never finished', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.connect(ingestUrl);
    unfinished(client, 64 * 1024);
    expect(await client.refused()).toEqual(['too_large', 1009]);
  });

  test('more unfinished first media than all that begin may have together', async () => {
    const { ingestUrl } = await gatewayWith({}, { unplacedBytes: 300_000 });
    const running = await IngestClient.live(ingestUrl);
    const clients = [await IngestClient.start(ingestUrl), await IngestClient.start(ingestUrl)];
    for (const client of clients) unfinished(client, 200_000);
    const refused = await Promise.race(clients.map((client) => client.refused()));
    expect(refused).toEqual(['overloaded', 1013]);
    // Who has sent little has no part in it.
    const honest = await IngestClient.start(ingestUrl);
    honest.socket.send(Buffer.alloc(90_000));
    unfinished(await IngestClient.start(ingestUrl), 200_000);
    await honest.acknowledgedAtLeast(1);
    running.socket.send(Buffer.alloc(400_000));
    await running.acknowledgedAtLeast(2);
  });

  /** Sends the beginning of a binary message that goes on and on. */
  function unfinished(client: IngestClient, bytes: number): void {
    client.socket.send(Buffer.alloc(bytes), { fin: false });
  }

  test('a client that never says what it wants', async () => {
    const { ingestUrl } = await gatewayWith({}, { firstMessageMs: 20 });
    const client = await IngestClient.connect(ingestUrl);
    expect(await client.refused()).toEqual(['bad_message', 1008]);
  });

  test('a WebSocket anywhere else is a 404', async () => {
    const { ingestUrl } = await gatewayWith();
    await expect(IngestClient.connect(`${ingestUrl}/more`)).rejects.toThrow('404');
  });

  test('a running session beside all this loses nothing', async () => {
    const { ingestUrl } = await gatewayWith({ MAX_CHUNK_BYTES: '100000' });
    const good = await IngestClient.start(ingestUrl);
    for (const misdeed of [
      text('hello'),
      bytes(10),
      bytes(3_000_000),
      afterStart(bytes(200_000)),
    ]) {
      good.chunks('x');
      const bad = await IngestClient.connect(ingestUrl);
      await misdeed(bad);
      await bad.refused();
    }
    good.chunks('x');
    await good.acknowledgedAtLeast(5);
    const pipeline = pipelineOf(good);
    await pipeline.took(5);
    expect(pipeline.order).toEqual(upTo(5));
  });
});

describe('a server that never shows a face', () => {
  test.each(['box', 'none', undefined])(
    'refuses to start with effect %s, and says what else there is',
    async (effect) => {
      const { ingestUrl } = await gatewayWith({ REQUIRE_HIDDEN: '1' });
      const client = await IngestClient.connect(ingestUrl);
      client.say({ ...START, ...(effect !== undefined && { effect }) });
      const { code, message } = await client.message('error');
      expect([code, message]).toEqual([
        'bad_message',
        expect.stringMatching(/blur, pixelate, black/),
      ]);
    },
  );

  test.each(['box', 'none'])(
    'refuses %s while live: the session keeps its effect',
    async (effect) => {
      const { ingestUrl } = await gatewayWith({ REQUIRE_HIDDEN: '1' });
      const client = await IngestClient.connect(ingestUrl);
      client.say({ ...START, effect: 'blur' });
      await client.message('started');
      client.chunks('chunk 0');
      await client.acknowledgedAtLeast(1);
      client.say({ type: 'effect', effect: 'black' });
      client.say({ type: 'effect', effect });
      expect(await client.refused()).toEqual(['bad_message', 1008]);
      expect((await registry.get(client.sessionId))?.effect).toBe('black');
    },
  );
});

describe('publishers with tokens of their own', () => {
  let file: string;
  beforeEach(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'facecast-publishers-'));
    open.push({ close: () => rm(directory, { recursive: true }) });
    file = join(directory, 'publishers.json');
    const publishers = [{ name: 'room 12', token: 'token of room 12', effects: ['blur', 'black'] }];
    await writeFile(file, JSON.stringify(publishers));
  });
  const mine = { ...START, token: 'token of room 12' };

  test('are known by name, and use the effects that they may, also after a lost connection', async () => {
    const { ingestUrl } = await gatewayWith({ PUBLISHERS_FILE: file });
    const lost = await IngestClient.connect(ingestUrl);
    lost.say({ ...mine, effect: 'blur' });
    await lost.message('started');
    lost.chunks('chunk 0');
    await lost.acknowledgedAtLeast(1);
    expect(await registry.get(lost.sessionId)).toMatchObject({ publisher: 'room 12' });
    lost.socket.terminate();
    const client = await IngestClient.connect(ingestUrl);
    client.say({ ...lost.started, type: 'resume' });
    await client.message('resumed');
    client.say({ type: 'effect', effect: 'black' });
    client.say({ type: 'effect', effect: 'none' });
    expect(await client.refused()).toEqual(['unauthorized', 1008]);
    expect((await registry.get(lost.sessionId))?.effect).toBe('black');
  });

  test('are refused with another effect, or another token', async () => {
    const { ingestUrl } = await gatewayWith({ PUBLISHERS_FILE: file });
    for (const start of [mine, { ...mine, effect: 'none' }, { ...START, token: 'wrong' }, START]) {
      const client = await IngestClient.connect(ingestUrl);
      client.say(start);
      expect(await client.refused()).toEqual(['unauthorized', 1008]);
    }
  });
});

describe('while live', () => {
  test('a publisher hears its own session’s events, with the viewers counted in', async () => {
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
    });
    await publishEvent(redis, { type: 'ended', sessionId: two.sessionId, frames: 0 });
    await two.message('ended');
    expect(two.received.map(({ type }) => type)).toEqual(['started', 'ended']);
  });

  test('an announcement that was lost is made up for, none is made twice', async () => {
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

  test('everything is hidden and shown again, and the segmenter is told to look', async () => {
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
    // Nobody has put an end behind it: that is for who holds the session.
    expect(await waitingChunks(sessionId)).toBe(1);
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
    const claims = ['decode', 'segment'].map(
      (queue) => `facecast:queue:${queue}:${client.sessionId}`,
    );
    // Whose it was: for as long as it can be played, and deleted.
    const owner = `facecast:session-owner:${client.sessionId}`;
    const left = (await redis.keys(`*${client.sessionId}*`)).filter(
      (key) => !key.startsWith('facecast:aof-rewrite:'),
    );
    expect(left.sort()).toEqual([...claims, owner]);
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

  test('an end that nobody confirms is not waited for without bound', async () => {
    const { ingestUrl } = await gatewayWith({}, { endMs: 30 });
    const client = await IngestClient.live(ingestUrl);
    client.say({ type: 'stop' });
    expect(await client.refused()).toEqual(['internal', 1011]);
  });
});

describe('a lost connection', () => {
  const resumed = async (ingestUrl: string, { started }: IngestClient) => {
    const client = await IngestClient.connect(ingestUrl);
    client.say({ ...started, type: 'resume' });
    return client;
  };

  test('is resumed at the first chunk that is not safe: each comes once, in order', async () => {
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

  test('that is only half lost gives way to the new one', async () => {
    const { ingestUrl } = await gatewayWith();
    const older = await IngestClient.start(ingestUrl);
    older.chunks('a');
    const newer = await resumed(ingestUrl, older);
    await newer.message('resumed');
    expect(await older.refused()).toEqual(['bad_message', 1008]);
    newer.chunks('b');
    await newer.acknowledgedAtLeast(2);
  });

  test('that is only half lost gives way to one through another gateway, and spoils nothing', async () => {
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
    // The older one's may come, but as the repeat that it is, which whoever decodes passes over.
    expect([...new Set(pipeline.order)]).toEqual([...upTo(4), 'end']);
    expect([...new Set(pipeline.texts)]).toEqual(numbered(4));
  });

  test('that is only half lost cannot end what goes on through another gateway', async () => {
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

  test('that is resumed twice at once is resumed once', async () => {
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
  expect(await waitingChunks(client.sessionId)).toBe(client.acknowledged);
});

test('a gateway that stops does not wait for a client that does not answer', async () => {
  const gateway = await testGateway(redisUrl);
  const client = await IngestClient.start(gateway.ingestUrl);
  client.socket.pause();
  await gateway.close();
  client.socket.terminate();
});
