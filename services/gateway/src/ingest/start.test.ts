import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { effectSchema, hidesFaces } from '@facecast/shared/protocol/ingest-protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { IngestClient } from '../testing/ingest-client.js';
import { START, useGateways } from '../testing/use-gateways.js';

const { redis, registry, open, gatewayWith } = useGateways();

describe('start', () => {
  test('answers with the session’s addresses, and an id and a token that nobody can guess', async () => {
    const { ingestUrl } = await gatewayWith();
    const { started } = await IngestClient.start(ingestUrl);
    expect(started).toEqual({
      type: 'started',
      sessionId: expect.stringMatching(/^[\w-]{22}$/) as string,
      resumeToken: expect.stringMatching(/^[\w-]{22}$/) as string,
      playlistUrl: `/hls/${started.sessionId}/live.m3u8`,
      watchUrl: `/watch/${started.sessionId}`,
      resumeSeconds: 15,
      effects: ['none', 'box', 'blur', 'pixelate', 'black'],
      keptMinutes: 10,
    });
  });

  test('says how long a lost connection can be resumed', async () => {
    const { ingestUrl } = await gatewayWith({ RESUME_WINDOW_SECONDS: '40' });
    expect((await IngestClient.start(ingestUrl)).started.resumeSeconds).toBe(40);
  });

  test('takes a place with the first media, which registers the session and adds its two lease jobs', async () => {
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

  test('a client that sends start and no media takes no place, and is closed after a while', async () => {
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

  test('of two that started, the one whose media comes first has the last place', async () => {
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

  test('a stop before any media leaves nothing', async () => {
    const { ingestUrl } = await gatewayWith();
    const client = await IngestClient.start(ingestUrl);
    client.say({ type: 'stop' });
    expect(await client.message('ended')).toEqual({ type: 'ended', frames: 0 });
    expect(await client.closed()).toBe(1000);
    await expect.poll(() => redis.keys(`*${client.sessionId}*`)).toEqual([]);
  });
});

describe('a server with REQUIRE_HIDDEN', () => {
  test.each(['box', 'none', undefined])(
    'refuses to start with effect %s, and says what else there is',
    async (effect) => {
      const { ingestUrl } = await gatewayWith({ REQUIRE_HIDDEN: '1' });
      const client = await IngestClient.connect(ingestUrl);
      client.say({ ...START, ...(effect !== undefined && { effect }) });
      const { code, message } = await client.message('error');
      expect([code, message]).toEqual([
        'bad_message',
        expect.stringContaining(effectSchema.options.filter(hidesFaces).join(', ')),
      ]);
    },
  );

  test.each(['box', 'none'])(
    'refuses %s while live: the session keeps its effect, and the publisher knew what there is',
    async (effect) => {
      const { ingestUrl } = await gatewayWith({ REQUIRE_HIDDEN: '1' });
      const client = await IngestClient.connect(ingestUrl);
      client.say({ ...START, effect: 'blur' });
      const { effects } = await client.message('started');
      expect(effects).toEqual(['blur', 'pixelate', 'black']);
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
    expect((await lost.message('started')).effects).toEqual(['blur', 'black']);
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
