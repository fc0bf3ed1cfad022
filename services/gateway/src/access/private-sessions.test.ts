import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isPrivate } from '@facecast/shared/protocol/session-visibility';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TestGateway } from '../testing/test-gateway.js';
import { IngestClient } from '../testing/ingest-client.js';
import { testPlaylist } from '../testing/test-playlist.js';
import { ADMIN_TOKEN, useGateways } from '../testing/use-gateways.js';

const { registry, ...gateways } = useGateways();
const gatewayWith = (settings: Record<string, string> = {}) =>
  gateways.gatewayWith({ ADMIN_TOKEN, ...settings });
let gateway: TestGateway;
let sessionId: string;
let resumeToken: string;

beforeEach(async () => {
  gateway = await gatewayWith();
  const client = await IngestClient.connect(gateway.ingestUrl);
  client.say({ type: 'start', mimeType: 'video/webm', visibility: 'private', record: true });
  ({ sessionId, resumeToken } = await client.message('started'));
  client.chunks('chunk 0');
  await client.acknowledgedAtLeast(1);
  await fill(gateway);
});

/** What the segmenter would have made of the session. */
async function fill({ hlsDir, recordingsDir }: TestGateway): Promise<void> {
  const [live, recorded] = [join(hlsDir, sessionId), join(recordingsDir, sessionId)];
  for (const folder of [live, recorded]) await mkdir(folder, { recursive: true });
  await writeFile(join(live, 'live.m3u8'), testPlaylist({ segments: 5, openParts: 2 }));
  for (const name of ['init-0.mp4', '4.m4s', '5.1.m4s']) await writeFile(join(live, name), name);
  await writeFile(join(live, 'faces.ndjson'), '{"frame":0,"t":0,"faces":[]}\n');
  await writeFile(join(recorded, 'recording.mp4'), Buffer.alloc(1_000));
  await writeFile(join(recorded, 'recording.m3u8'), '#EXTM3U\n');
  const { resumeTokenHash = '' } = (await registry.get(sessionId)) ?? {};
  const about = JSON.stringify({ createdAt: 1, resumeTokenHash });
  await writeFile(join(recorded, 'recording.json'), about);
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Every address of a session that shows anything of it. */
const addresses = (of: string) => [
  `/watch/${of}`,
  ...['live.m3u8', 'init-0.mp4', '4.m4s', '5.1.m4s'].map((file) => `/hls/${of}/${file}`),
  ...['recording.m3u8', 'recording.mp4'].map((file) => `/hls/${of}/${file}`),
  ...['', '/faces', '/recording.mp4'].map((what) => `/api/sessions/${of}${what}`),
];

async function statuses(paths: string[], headers = {}, { url } = gateway): Promise<number[]> {
  return Promise.all(
    paths.map(async (path) => {
      const response = await fetch(url + path, { headers, redirect: 'manual' });
      await response.body?.cancel();
      return response.status;
    }),
  );
}

const all = (status: number) => addresses('').map(() => status);

interface Link {
  id: string;
  url: string;
  playlistUrl: string;
  joinUntil: string;
  leaveAt: string;
}

async function makeLink(wanted: object = {}, token = resumeToken): Promise<Link> {
  const response = await fetch(`${gateway.url}/api/sessions/${sessionId}/links`, {
    method: 'POST',
    headers: { ...bearer(token), 'content-type': 'application/json' },
    body: JSON.stringify(wanted),
  });
  expect(response.status).toBe(201);
  return (await response.json()) as Link;
}

/** Follows a link to the watch page; resolves to the cookies, as a browser sends them to a path. */
async function join303({ url }: Link): Promise<(path: string) => { cookie: string }> {
  const response = await fetch(url, { redirect: 'manual' });
  expect(response.status).toBe(303);
  expect(new URL(response.headers.get('location') ?? '', url).search).toBe('');
  const cookies = response.headers.getSetCookie().map((text) => {
    const [pair = '', ...attributes] = text.split('; ');
    expect(attributes).toContain('HttpOnly');
    return { pair, path: attributes.find((each) => each.startsWith('Path='))?.slice(5) ?? '' };
  });
  return (path) => ({
    cookie: cookies
      .filter((each) => path === each.path || path.startsWith(`${each.path}/`))
      .map(({ pair }) => pair)
      .join('; '),
  });
}

describe('a private session', () => {
  test('says so in its id, which is like any other', () => {
    expect(sessionId).toMatch(/^[\w-]{22}$/);
    expect(isPrivate(sessionId)).toBe(true);
  });

  test('is 403 at every address without a link, also once it has ended', async () => {
    expect(await statuses(addresses(sessionId))).toEqual(all(403));
    for (const forged of ['x', sessionId, 'a.b.c.a.d'])
      expect(await statuses(addresses(`${sessionId}~${forged}`))).toEqual(all(403));
    await registry.remove(sessionId);
    expect(await statuses(addresses(sessionId))).toEqual(all(403));
    const another = `${sessionId.slice(1)}${sessionId.slice(-1)}`;
    expect(await statuses(addresses(another))).toEqual(all(403));
  });

  test('says so to a person on a page, with the same status', async () => {
    for (const path of [`/watch/${sessionId}`, `/watch/${sessionId}?link=x`]) {
      const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
      const response = await fetch(gateway.url + path, { headers });
      expect([response.status, await response.text()]).toEqual([403, '<title>watch</title>']);
      const program = await fetch(gateway.url + path);
      expect(program.status).toBe(403);
      expect(await program.json()).toMatchObject({ error: { code: 'forbidden' } });
    }
  });

  test('is also 403 where letters are the same in both cases', () => {
    const swapped = sessionId.slice(0, -1) + sessionId.slice(-1).toLowerCase();
    expect([isPrivate(swapped), isPrivate(swapped.toUpperCase())]).toEqual([true, true]);
  });

  test('opens with a link: in a browser by cookies, at the addresses that the page asks for', async () => {
    const cookiesFor = await join303(await makeLink());
    for (const path of addresses(sessionId))
      expect([path, await statuses([path], cookiesFor(path))]).toEqual([path, [200]]);
    expect(await statuses(['/watch/other', '/api/sessions'], cookiesFor('/'))).toEqual([200, 401]);
  });

  test('opens with a link: in a player by the address that it is sent on to', async () => {
    const { playlistUrl } = await makeLink();
    const response = await fetch(`${playlistUrl}&_HLS_msn=4`);
    expect(response.status).toBe(200);
    expect(response.url).toMatch(/~[\w.-]+\/live\.m3u8\?_HLS_msn=4$/);
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    for (const file of ['init-0.mp4', '4.m4s', '5.1.m4s', 'recording.m3u8', 'recording.mp4']) {
      const media = await fetch(new URL(file, response.url));
      await media.body?.cancel();
      expect([file, media.status]).toEqual([file, 200]);
      expect(media.headers.get('cache-control')).toBe('private, no-store');
    }
    const faces = `${gateway.url}/api/sessions/${sessionId}/faces${new URL(playlistUrl).search}`;
    expect((await fetch(faces)).status).toBe(200);
  });

  test('opens to its publisher and to the operator by their tokens, and to nobody else’s', async () => {
    for (const token of [resumeToken, ADMIN_TOKEN])
      expect(await statuses(addresses(sessionId), bearer(token))).toEqual(all(200));
    expect(await statuses(addresses(sessionId), bearer('wrong'))).toEqual(all(403));
  });

  test('opens at another gateway, too', async () => {
    const other = await gatewayWith();
    await fill(other);
    const { playlistUrl } = await makeLink();
    const there = playlistUrl.replace(gateway.url, other.url);
    expect((await fetch(there)).status).toBe(200);
  });
});

describe('a link', () => {
  test('tells until when one may come, and when one must leave', async () => {
    const before = Date.now();
    const { joinUntil, leaveAt } = await makeLink({ expiresIn: 100, leaveAfter: 7_200 });
    const [join, leave] = [Date.parse(joinUntil), Date.parse(leaveAt)];
    expect(leave - join).toBe(7_100_000);
    expect(join).toBeGreaterThan(before + 98_000);
  });

  test('is made by the publisher and by the operator only', async () => {
    await makeLink({}, ADMIN_TOKEN);
    const make = (id: string, headers = {}) =>
      fetch(`${gateway.url}/api/sessions/${id}/links`, { method: 'POST', headers });
    expect((await make(sessionId)).status).toBe(401);
    expect((await make(sessionId, bearer('wrong'))).status).toBe(401);
    expect((await make('nobody', bearer(resumeToken))).status).toBe(404);
  });

  test.each([{ expiresIn: 0 }, { leaveAfter: 'soon' }, { address: 'x' }, { until: 1 }])(
    'with %j is a Bad Request',
    async (wanted) => {
      const response = await fetch(`${gateway.url}/api/sessions/${sessionId}/links`, {
        method: 'POST',
        headers: { ...bearer(resumeToken), 'content-type': 'application/json' },
        body: JSON.stringify(wanted),
      });
      expect(response.status).toBe(400);
    },
  );

  test('that is bound to another address opens nothing', async () => {
    const { url, playlistUrl } = await makeLink({ address: '192.0.2.1' });
    for (const each of [url, playlistUrl]) expect((await fetch(each)).status).toBe(403);
    const { playlistUrl: ours } = await makeLink({ address: true });
    expect((await fetch(ours)).status).toBe(200);
  });

  test('that is revoked opens nothing, and what it has opened closes: a download, a timeline', async () => {
    const recording = join(gateway.recordingsDir, sessionId, 'recording.mp4');
    await writeFile(recording, Buffer.alloc(50_000_000));
    const link = await makeLink();
    const passed = (await fetch(link.playlistUrl)).url;
    const [segment = ''] = /[^/]+~[^/]+/.exec(passed) ?? [];
    const download = await fetch(`${gateway.url}/api/sessions/${segment}/recording.mp4`);
    const followed = await fetch(`${gateway.url}/api/sessions/${segment}/faces?follow=1`);
    expect([download.status, followed.status]).toEqual([200, 200]);
    const revoked = await fetch(`${gateway.url}/api/sessions/${sessionId}/links/${link.id}`, {
      method: 'DELETE',
      headers: bearer(resumeToken),
    });
    expect(revoked.status).toBe(204);
    expect((await fetch(link.url)).status).toBe(403);
    expect((await fetch(passed)).status).toBe(403);
    // Cut off in the middle. The download is read late, so that it is not over before.
    await expect(followed.text()).rejects.toThrow();
    await expect(download.arrayBuffer()).rejects.toThrow();
  });

  test('all of a session are revoked at once', async () => {
    const made = [await makeLink(), await makeLink()];
    const response = await fetch(`${gateway.url}/api/sessions/${sessionId}/links`, {
      method: 'DELETE',
      headers: bearer(resumeToken),
    });
    expect(response.status).toBe(204);
    for (const { url } of made) expect((await fetch(url)).status).toBe(403);
    await makeLink();
  });
});

test('a session that is not private is seen by whoever has its address, as ever', async () => {
  const client = await IngestClient.live(gateway.ingestUrl);
  expect(isPrivate(client.sessionId)).toBe(false);
  const paths = [`/watch/${client.sessionId}`, `/api/sessions/${client.sessionId}`];
  expect(await statuses(paths)).toEqual([200, 200]);
  expect(await statuses(paths.map((path) => `${path}?link=x`))).toEqual([200, 200]);
});
