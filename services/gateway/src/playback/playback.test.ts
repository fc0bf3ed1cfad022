import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { createLogger } from '@facecast/shared/runtime/logger';
import { SessionOwners } from '@facecast/shared/redis/session-owners';
import { SessionRegistry } from '@facecast/shared/redis/sessions';
import { redisUrl } from '@facecast/shared/testing/redis';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerError, Refusal } from '../errors.js';
import { createGatewayMetrics } from '../metrics.js';
import { testPlaylist, type TestPlaylist } from '../testing/playlist.js';
import { until } from '../testing/until.js';
import { Audit } from '../access/audit.js';
import { Bearers } from '../access/bearers.js';
import { Owners } from '../access/owners.js';
import { PublishTokens } from '../access/publish-tokens.js';
import { SessionAccess } from '../access/session-access.js';
import { TokenGuard } from '../access/token-guard.js';
import { ViewingLinks } from '../access/viewing-links.js';
import { WrongTokens } from '../access/wrong-tokens.js';
import { Recordings } from '../media/recordings.js';
import { Viewers } from '../sessions/viewers.js';
import { LivePlaylists } from './live-playlists.js';
import { MediaSender } from '../media/media-sender.js';
import { playbackHandler } from './playback-handler.js';
import { WaitingRoom } from './waiting-room.js';

const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
const log = createLogger('gateway', 'silent');
const recordings = new Recordings('nowhere', { record: 'ask', keptHours: 24 });
const links = new ViewingLinks(redis, undefined);
const owners = new Owners({
  registry: new SessionRegistry(redis),
  sessionOwners: new SessionOwners(redis),
  recordings,
  publishTokens: new PublishTokens({}, log),
  adminToken: undefined,
  bearers: new Bearers(new TokenGuard(new WrongTokens()), 0),
});
const LIVE: TestPlaylist = { firstMsn: 10, segments: 30, openParts: 4 };
const NEXT: TestPlaylist = { ...LIVE, openParts: 5 };
const ENDED: TestPlaylist = { firstMsn: 10, segments: 30, ended: true };

let hlsDir: string;
let url: string;
let server: Server;
let playlists: LivePlaylists;
let viewers: Viewers;
/** Milliseconds on the gateway's clock. */
let now: number;

beforeEach(async () => {
  await redis.flushall();
  hlsDir = await mkdtemp(join(tmpdir(), 'facecast-hls-'));
  await start(new WaitingRoom());
  await mkdir(join(hlsDir, 's'));
  await publish(LIVE);
});

afterEach(async () => {
  await stop();
  await rm(hlsDir, { recursive: true });
});

afterAll(() => redis.quit());

async function start(room: WaitingRoom): Promise<void> {
  now = 1_000;
  playlists = new LivePlaylists(hlsDir, log, { room, now: () => now });
  viewers = new Viewers(redis, log);
  const play = playbackHandler({
    playlists,
    media: new MediaSender(hlsDir, 600),
    audit: new Audit(log),
    access: new SessionAccess({
      links,
      owners,
      isDeleted: () => false,
      trustProxy: 0,
      isSecure: false,
    }),
    recordings,
    viewers,
    metrics: createGatewayMetrics(),
    log,
    trustProxy: 0,
  });
  server = createServer((request, response) => {
    if (!play(request, response)) answerError(log, request, response, new Refusal(404, 'No.'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hls`;
}

async function stop(): Promise<void> {
  playlists.close();
  viewers.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** Puts a playlist in place as the segmenter does, without telling anybody. */
async function publish(playlist: TestPlaylist): Promise<void> {
  const path = join(hlsDir, 's', 'live.m3u8');
  await writeFile(`${path}.tmp`, testPlaylist(playlist));
  await rename(`${path}.tmp`, path);
}

const tell = () => playlists.receive({ type: 'part', sessionId: 's', msn: 0, part: 0, batches: 0 });
const media = (name: string, content: string | Buffer) =>
  writeFile(join(hlsDir, 's', name), content);
const playlist = (query = '') => fetch(`${url}/s/live.m3u8${query}`);
const waiting = (count: number) => until(() => playlists.waiting === count);

/** The status and the whole error of a refused request. */
async function refusal(answer: Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  expect(error.message).toMatch(/^[A-Z_].*\.$/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return [response.status, error.code];
}

describe('the live playlist', () => {
  test('comes as HLS that no cache keeps and any page may read', async () => {
    const response = await playlist();
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(testPlaylist(LIVE));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': 'no-cache',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      vary: 'Accept-Encoding',
    });
  });

  test('comes packed for who can unpack it, whole for who cannot', async () => {
    const packed = await raw('s/live.m3u8', { 'accept-encoding': 'gzip, br' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body).toString()).toBe(testPlaylist(LIVE));
    const plain = await raw('s/live.m3u8', { 'accept-encoding': 'identity' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toBe(testPlaylist(LIVE));
    expect(packed.body.length).toBeLessThan(plain.body.length / 4);
  });

  test('rfc8216bis 6.2.5.1: comes as a delta update for who asks for one', async () => {
    const delta = await (await playlist('?_HLS_skip=YES')).text();
    expect(delta).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=23\n');
    expect(delta).toContain('#EXT-X-VERSION:9\n');
    expect(delta.endsWith(testPlaylist(LIVE).slice(-500))).toBe(true);
    await publish(ENDED);
    tell();
    expect(await (await playlist('?_HLS_skip=YES')).text()).toBe(testPlaylist(ENDED));
  });

  test('that has ended may be kept for a little while', async () => {
    await publish(ENDED);
    const { headers } = await playlist('?_HLS_msn=99');
    expect(headers.get('cache-control')).toBe('public, max-age=10');
  });

  test('answers HEAD without a body', async () => {
    const response = await fetch(`${url}/s/live.m3u8`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  test('of no session is a 404', async () => {
    expect(await refusal(fetch(`${url}/nobody/live.m3u8`))).toEqual([404, 'not_found']);
    expect(playlists.size).toBe(0);
  });

  test.each(['?_HLS_part=1', '?_HLS_msn=x', '?_HLS_msn=99', '?_HLS_msn=40&_HLS_msn=41'])(
    'rfc8216bis 6.2.5.2: %s is a Bad Request',
    async (query) => expect(await refusal(playlist(query))).toEqual([400, 'bad_request']),
  );
});

describe('a held request', () => {
  test('is answered with the part it asked for, all who wait by one event', async () => {
    const query = '?_HLS_msn=40&_HLS_part=4';
    const answers = Array.from({ length: 300 }, () => playlist(query));
    await waiting(300);
    await publish(NEXT);
    tell();
    const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
    expect(new Set(texts)).toEqual(new Set([testPlaylist(NEXT)]));
    expect(playlists.waiting).toBe(0);
  });

  test('goes on waiting while what it asked for is not there', async () => {
    const next = playlist('?_HLS_msn=40&_HLS_part=4');
    const whole = playlist('?_HLS_msn=40');
    await waiting(2);
    await publish(NEXT);
    tell();
    expect(await (await next).text()).toBe(testPlaylist(NEXT));
    expect(playlists.waiting).toBe(1);
    await publish({ firstMsn: 11, segments: 30 });
    tell();
    expect(await (await whole).text()).toBe(testPlaylist({ firstMsn: 11, segments: 30 }));
  });

  test('is answered at once when the session ends', async () => {
    const answer = playlist('?_HLS_msn=41&_HLS_part=2');
    await waiting(1);
    await publish(ENDED);
    playlists.receive({ type: 'ended', sessionId: 's', frames: 900 });
    expect(await (await answer).text()).toBe(testPlaylist(ENDED));
  });

  test('of one session is not woken by another', async () => {
    const answer = playlist('?_HLS_msn=40');
    await waiting(1);
    await publish(ENDED);
    playlists.receive({ type: 'part', sessionId: 'other', msn: 0, part: 0, batches: 0 });
    await new Promise(setImmediate);
    expect(playlists.waiting).toBe(1);
    tell();
    await answer;
  });

  test('takes no place any more when its client has gone', async () => {
    const leaving = new AbortController();
    const answers = Array.from({ length: 20 }, () =>
      fetch(`${url}/s/live.m3u8?_HLS_msn=40`, { signal: leaving.signal }),
    );
    await waiting(20);
    leaving.abort();
    await Promise.allSettled(answers);
    await waiting(0);
  });

  test('rfc8216bis 6.2.5.2: is given up after three target durations', async () => {
    const early = playlist('?_HLS_msn=40');
    await waiting(1);
    now += 2_000;
    const late = playlist('?_HLS_msn=40');
    await waiting(2);
    now += 999;
    playlists.sweep();
    expect(playlists.waiting).toBe(2);
    now += 1;
    playlists.sweep();
    expect(await refusal(early)).toEqual([503, 'unavailable']);
    expect(playlists.waiting).toBe(1);
    now += 2_000;
    playlists.sweep();
    expect(await refusal(late)).toEqual([503, 'unavailable']);
  });

  test('survives a lost event: the playlist is looked at anyway', async () => {
    const answer = playlist('?_HLS_msn=40&_HLS_part=4');
    await waiting(1);
    await publish(NEXT);
    now += 501;
    playlists.sweep();
    expect(await (await answer).text()).toBe(testPlaylist(NEXT));
  });

  test('is refused when the session is removed', async () => {
    const answer = playlist('?_HLS_msn=40');
    await waiting(1);
    await rm(join(hlsDir, 's'), { recursive: true });
    tell();
    expect(await refusal(answer)).toEqual([404, 'not_found']);
    await mkdir(join(hlsDir, 's'));
  });

  test('is refused when the gateway stops', async () => {
    const answer = playlist('?_HLS_msn=40');
    await waiting(1);
    playlists.close();
    expect(await refusal(answer)).toEqual([503, 'unavailable']);
  });

  test('is one of so many, and no more', async () => {
    await stop();
    await start(new WaitingRoom(5, 3));
    await mkdir(join(hlsDir, 't'));
    await writeFile(join(hlsDir, 't', 'live.m3u8'), testPlaylist(LIVE));
    const other = () => fetch(`${url}/t/live.m3u8?_HLS_msn=40`);
    const held = Array.from({ length: 3 }, () => playlist('?_HLS_msn=40'));
    await waiting(3);
    expect(await refusal(playlist('?_HLS_msn=40'))).toEqual([503, 'unavailable']);
    held.push(other(), other());
    await waiting(5);
    expect(await refusal(other())).toEqual([503, 'unavailable']);
    expect((await playlist()).status).toBe(200);
    await publish(ENDED);
    tell();
    await Promise.all(held.slice(0, 3));
    held.push(other());
    await waiting(3);
    playlists.close();
    await Promise.all(held);
  });
});

describe('playlists in memory', () => {
  test('are never older than half a second, even without an event', async () => {
    await playlist();
    await publish(NEXT);
    now += 501;
    expect(await (await playlist()).text()).toBe(testPlaylist(NEXT));
  });

  test('are forgotten when nobody has asked for ten seconds', async () => {
    await playlist();
    now += 10_000;
    playlists.sweep();
    expect(playlists.size).toBe(1);
    now += 1;
    playlists.sweep();
    expect(playlists.size).toBe(0);
  });
});

describe('media files', () => {
  test.each([
    ['init-0.mp4', 'video/mp4'],
    ['39.m4s', 'video/iso.segment'],
    ['40.3.m4s', 'video/iso.segment'],
  ])('%s comes as %s, to be kept', async (name, type) => {
    const bytes = Buffer.from([0, 1, 2, 255]);
    await media(name, bytes);
    const response = await fetch(`${url}/s/${name}`);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': type,
      'cache-control': 'public, max-age=30, immutable',
      'access-control-allow-origin': '*',
      'accept-ranges': 'bytes',
    });
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  test.each(['39.m4s', '40.3.m4s'])('%s comes in ranges, and HEAD tells its size', async (name) => {
    await media(name, '0123456789');
    const range = await fetch(`${url}/s/${name}`, { headers: { range: 'bytes=2-4' } });
    expect([range.status, await range.text()]).toEqual([206, '234']);
    expect(range.headers.get('content-range')).toBe('bytes 2-4/10');
    const beyond = fetch(`${url}/s/${name}`, { headers: { range: 'bytes=20-' } });
    expect(await refusal(beyond)).toEqual([416, 'range_not_satisfiable']);
    const head = await fetch(`${url}/s/${name}`, { method: 'HEAD' });
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['10', '']);
  });

  test('rfc8216bis 6.2.6: the hinted part is sent when it is whole', async () => {
    const answers = Array.from({ length: 50 }, () => fetch(`${url}/s/40.4.m4s`));
    await waiting(50);
    await media('40.4.m4s', 'the part');
    await publish(NEXT);
    tell();
    for (const answer of answers) expect(await (await answer).text()).toBe('the part');
  });

  test('rfc8216bis 6.2.6: a part that was hinted and never came is a 404', async () => {
    const answer = fetch(`${url}/s/40.4.m4s`);
    await waiting(1);
    await publish(ENDED);
    tell();
    expect(await refusal(answer)).toEqual([404, 'not_found']);
  });

  test.each(['40.5.m4s', '40.m4s', 'init-7.mp4', '9.m4s'])(
    'rfc8216bis 6.2.6: %s, unknown and not hinted, is a 404',
    async (name) => expect(await refusal(fetch(`${url}/s/${name}`))).toEqual([404, 'not_found']),
  );

  test.each([
    's/session.json',
    's/faces.ndjson',
    's/live.m3u8.tmp',
    's/..%2Fsecret.m4s',
    '..%2Fsecret/1.m4s',
    's/%2e%2e/1.m4s',
    '%2e%2e/live.m3u8',
    'a%00b/live.m3u8',
    's/1.m4s%00.mp4',
    's/.%2f1.m4s',
    '.s/1.m4s',
    's//1.m4s/',
    `${'s'.repeat(65)}/live.m3u8`,
    's/a/b.m4s',
  ])('nothing else is served: %s', async (path) => {
    for (const name of ['session.json', 'faces.ndjson', 'live.m3u8.tmp'])
      await media(name, 'secret');
    await writeFile(join(hlsDir, 'secret.m4s'), 'secret');
    const { status, body } = await raw(path);
    expect(status).toBe(404);
    expect(body.toString()).toContain('"not_found"');
  });

  test('nothing can be sent there, but a page may ask what it can', async () => {
    const post = fetch(`${url}/s/live.m3u8`, { method: 'POST' });
    expect(await refusal(post)).toEqual([405, 'method_not_allowed']);
    const options = await fetch(`${url}/s/live.m3u8`, { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('access-control-allow-headers')).toContain('X-Facecast-Viewer');
  });
});

test('who asks for playlists counts as a viewer, each once', async () => {
  const headers = { 'x-facecast-viewer': 'tab-1' };
  await fetch(`${url}/s/live.m3u8`, { headers });
  await fetch(`${url}/s/live.m3u8`, { headers });
  await fetch(`${url}/s/live.m3u8`, { headers: { 'user-agent': 'one' } });
  await fetch(`${url}/s/live.m3u8`, { headers: { 'user-agent': 'two' } });
  await viewers.flush();
  expect(await viewers.count('s')).toBe(3);
});

/** A request whose path and body nobody touches. */
async function raw(path: string, headers: Record<string, string> = {}) {
  const { hostname, port } = new URL(url);
  const request = get({ hostname, port, path: `/hls/${path}`, headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}
