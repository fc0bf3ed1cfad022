import { publishEvent } from '@facecast/shared/protocol/events';
import { describe, expect, test } from 'vitest';
import { IngestClient } from '../testing/ingest-client.js';
import { statsOf } from '../testing/test-stats.js';
import { START, upTo, useGateways } from '../testing/use-gateways.js';

const { redis, registry, gatewayWith, pipelineOf } = useGateways();

describe('a refused socket gets the protocol’s code, and is closed', () => {
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
    ['a chunk over the limit', afterStart(bytes(300_001)), 'too_large', 1009],
    ['one far over the limit', afterStart(bytes(30_000_000)), 'too_large', 1009],
    ['a session that is not', (c) => c.say(resume('x', 'y')), 'not_found', 1008],
    ['a session with a strange id', (c) => c.say(resume('../:*', 'y')), 'not_found', 1008],
  ])('%s', async (_what, misdeed, code, closeCode) => {
    const { ingestUrl } = await gatewayWith({ MAX_CHUNK_BYTES: '300000' });
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
    const { ingestUrl } = await gatewayWith({ MAX_CHUNK_BYTES: '300000' });
    const client = await IngestClient.start(ingestUrl);
    client.socket.send(Buffer.alloc(300_000));
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

  test('the own page behind a proxy that names itself, until PUBLIC_URL says where people open it', async () => {
    const page = { origin: 'https://cam.example' };
    const unsaid = await gatewayWith();
    const client = await IngestClient.connect(unsaid.ingestUrl, page);
    expect(await client.message('error')).toMatchObject({
      message: expect.stringMatching(/PUBLIC_URL=https:\/\/cam\.example/) as string,
    });
    const settings = {
      PUBLIC_URL: 'https://cam.example/',
      ALLOWED_ORIGINS: 'https://site.example',
    };
    const said = await gatewayWith(settings);
    await IngestClient.start(said.ingestUrl, page);
  });

  test('a proxy’s header for the host counts only if a proxy is trusted', async () => {
    const headers = { origin: 'https://cam.example', 'x-forwarded-host': 'cam.example' };
    const trusting = await gatewayWith({ TRUST_PROXY: '1', PUBLIC_URL: 'https://cam.example' });
    await IngestClient.start(trusting.ingestUrl, { headers });
    const wary = await gatewayWith();
    const client = await IngestClient.connect(wary.ingestUrl, { headers });
    expect(await client.refused()).toEqual(['origin_not_allowed', 1008]);
  });

  test('a publisher without the token, if one is set', async () => {
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

  test('one session more than MAX_SESSIONS', async () => {
    const { ingestUrl } = await gatewayWith({ MAX_SESSIONS: '2' });
    const first = await IngestClient.live(ingestUrl);
    await IngestClient.live(ingestUrl);
    const third = await IngestClient.connect(ingestUrl);
    third.say(START);
    expect(await third.refused()).toEqual(['too_many_sessions', 1013]);
    await registry.remove(first.sessionId);
    await IngestClient.start(ingestUrl);
  });

  test('a session that the detectors could not search beside the running ones', async () => {
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

  test('too many sockets of one client that send nothing; those that send do not count', async () => {
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

  test('more unfinished first media than all new sockets may have together', async () => {
    const { ingestUrl } = await gatewayWith({}, { unplacedBytes: 300_000 });
    const running = await IngestClient.live(ingestUrl);
    const clients = [await IngestClient.start(ingestUrl), await IngestClient.start(ingestUrl)];
    for (const client of clients) unfinished(client, 200_000);
    const refused = await Promise.race(clients.map((client) => client.refused()));
    expect(refused).toEqual(['overloaded', 1013]);
    // A socket that has sent little is not affected.
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

  test('a client that never sends its first message', async () => {
    const { ingestUrl } = await gatewayWith({}, { firstMessageMs: 20 });
    const client = await IngestClient.connect(ingestUrl);
    expect(await client.refused()).toEqual(['bad_message', 1008]);
  });

  test('a WebSocket anywhere else is a 404', async () => {
    const { ingestUrl } = await gatewayWith();
    await expect(IngestClient.connect(`${ingestUrl}/more`)).rejects.toThrow('404');
  });

  test('a running session beside all this loses nothing', async () => {
    const { ingestUrl } = await gatewayWith({ MAX_CHUNK_BYTES: '300000' });
    const good = await IngestClient.start(ingestUrl);
    for (const misdeed of [
      text('hello'),
      bytes(10),
      bytes(3_000_000),
      afterStart(bytes(400_000)),
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
