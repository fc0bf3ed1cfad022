import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deferred } from '@facecast/shared/runtime/deferred';
import { publishEvent } from '@facecast/shared/protocol/events';
import { expect, describe, test } from 'vitest';
import { WebSocket } from 'ws';
import { IngestClient } from '../testing/ingest-client.js';
import { testPlaylist, type TestPlaylist } from '../testing/test-playlist.js';
import { ADMIN_TOKEN, bearer, useGateways } from '../testing/use-gateways.js';
import type { TestGateway } from '../testing/test-gateway.js';
import { until } from '../testing/until.js';
import { PushServer } from './push-server.js';

const { redis, open, gatewayWith, runningSession } = useGateways();

/** A viewer, and what it has got: the types of messages, and what is in the binary ones. */
class Viewer {
  readonly got: string[] = [];
  code: number | undefined;
  readonly socket: WebSocket;

  constructor(
    { url }: Pick<TestGateway, 'url'>,
    segment: string,
    headers: Record<string, string> = {},
  ) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/live/${segment}`, { headers });
    this.socket.on('error', () => {});
    this.socket.on('close', (code) => (this.code = code));
    this.socket.on('message', (data: Buffer, isBinary) =>
      this.got.push(isBinary ? data.toString() : (JSON.parse(data.toString()) as Said).type),
    );
  }

  readonly has = (last: string) => until(() => this.got.at(-1) === last);
  readonly closedWith = async (code: number) => {
    await until(() => this.code !== undefined);
    expect(this.code).toBe(code);
  };
}
type Said = { type: string };

/** A session's folder, as a segmenter fills it. */
class Published {
  private readonly folder: string;

  constructor(
    gateway: TestGateway,
    readonly sessionId: string,
  ) {
    this.folder = join(gateway.hlsDir, sessionId);
  }

  /** Puts a playlist in place with the media that it lists, and tells of it. */
  async lists(playlist: TestPlaylist, missing: string[] = []): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const whole = testPlaylist(playlist);
    // The segmenter lists no parts after the end.
    const text = playlist.ended ? whole.replace(/^#EXT-X-PART:.*\n/gm, '') : whole;
    for (const [, name = ''] of text.matchAll(/URI="([^"]+)"/g))
      if (!missing.includes(name)) await writeFile(join(this.folder, name), name);
    await writeFile(join(this.folder, 'next'), text);
    await rename(join(this.folder, 'next'), join(this.folder, 'live.m3u8'));
    const { sessionId } = this;
    await publishEvent(redis, { type: 'part', sessionId, msn: 0, part: 0, batches: 0 });
  }
}

/** A gateway, and a running session without a playlist. */
async function begun(settings: Record<string, string> = {}) {
  const gateway = await gatewayWith(settings);
  const { session } = await runningSession();
  return { gateway, session, published: new Published(gateway, session.id) };
}

const FROM_10 = { firstMsn: 10, segments: 5 };
const parts = (msn: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `${msn}.${from + n}.m4s`);

describe('a viewer of a running session', () => {
  test('gets its parts from the newest key frame on, each when it is listed, and the end', async () => {
    const { gateway, session, published } = await begun();
    await published.lists({ ...FROM_10, openParts: 3 });
    const viewer = new Viewer(gateway, session.id);
    await viewer.has('15.2.m4s');
    await published.lists({ ...FROM_10, openParts: 4 });
    await viewer.has('15.3.m4s');
    const late = new Viewer(gateway, session.id);
    await late.has('15.3.m4s');
    await published.lists({ ...FROM_10, segments: 6, openParts: 1 });
    await viewer.has('16.0.m4s');
    // Its last part is listed by no playlist.
    await writeFile(join(gateway.hlsDir, session.id, '16.1.m4s'), '16.1.m4s');
    await published.lists({ ...FROM_10, segments: 7, ended: true });
    for (const each of [viewer, late]) await each.closedWith(1000);
    const all = ['init', 'init-0.mp4', ...parts(15, 0, 9), ...parts(16, 0, 1), 'ended'];
    expect(viewer.got).toEqual(all);
    expect(late.got).toEqual(all);
  });

  test('goes on at the next key frame where a part is missing, and is told of the gap', async () => {
    const { gateway, session, published } = await begun();
    await published.lists({ ...FROM_10, openParts: 1 });
    const viewer = new Viewer(gateway, session.id);
    await viewer.has('15.0.m4s');
    await published.lists({ ...FROM_10, openParts: 4 }, ['15.2.m4s']);
    await viewer.has('15.1.m4s');
    await published.lists({ ...FROM_10, segments: 6, openParts: 2 });
    await viewer.has('16.1.m4s');
    expect(viewer.got.slice(-4)).toEqual(['15.1.m4s', 'gap', '16.0.m4s', '16.1.m4s']);
  });

  test('is counted, and let go when the session is deleted', async () => {
    const { gateway, session, published } = await begun({ ADMIN_TOKEN });
    await published.lists({ ...FROM_10, openParts: 1 });
    const viewer = new Viewer(gateway, session.id);
    await viewer.has('15.0.m4s');
    const stats = async () =>
      (await (await fetch(`${gateway.url}/api/sessions/${session.id}`)).json()) as object;
    await until(async () => ((await stats()) as { viewers: number }).viewers === 1);
    const path = `${gateway.url}/api/sessions/${session.id}`;
    await fetch(path, { method: 'DELETE', ...bearer(ADMIN_TOKEN) });
    await viewer.closedWith(4404);
    await new Viewer(gateway, session.id).closedWith(4404);
  });

  test('waits where it has no playlist yet, and gets it from its first part on', async () => {
    const { gateway, session, published } = await begun();
    const viewer = new Viewer(gateway, session.id);
    await until(() => viewer.socket.readyState === WebSocket.OPEN);
    await published.lists({ ...FROM_10, openParts: 1 });
    const ready = { type: 'playlist_ready', sessionId: session.id, playlistUrl: '' } as const;
    await publishEvent(redis, ready);
    await viewer.has('15.0.m4s');
  });
});

describe('nobody sees by it', () => {
  test('a session that there is not', async () => {
    const gateway = await gatewayWith();
    for (const id of ['x', 'A'.repeat(22), '..%2f']) await new Viewer(gateway, id).closedWith(4404);
  });

  test('a private session without a link, or after it was revoked, or on a page of another site', async () => {
    const gateway = await gatewayWith({ ADMIN_TOKEN });
    const client = await IngestClient.connect(gateway.ingestUrl);
    client.say({ type: 'start', mimeType: 'video/webm', visibility: 'private' });
    const { sessionId, resumeToken } = await client.message('started');
    client.chunks('chunk 0');
    await client.acknowledgedAtLeast(1);
    await new Published(gateway, sessionId).lists({ ...FROM_10, openParts: 1 });
    await new Viewer(gateway, sessionId).closedWith(4403);
    await new Viewer(gateway, `${sessionId}~forged`).closedWith(4403);
    const links = `${gateway.url}/api/sessions/${sessionId}/links`;
    const made = await fetch(links, { method: 'POST', ...bearer(resumeToken) });
    const { playlistUrl } = (await made.json()) as { playlistUrl: string };
    const playlist = await fetch(playlistUrl);
    const segment = new URL(playlist.url).pathname.split('/')[2] ?? '';
    const viewer = new Viewer(gateway, segment);
    await viewer.has('15.0.m4s');
    const origin = 'https://elsewhere.example';
    await new Viewer(gateway, segment, { origin }).closedWith(4403);
    await fetch(links, { method: 'DELETE', ...bearer(resumeToken) });
    await viewer.closedWith(4403);
  });
});

/** A push server by itself, whose admission each test decides over; of no session is there a playlist. */
async function pushAlone(
  deps: { enter: () => Promise<object>; isDeleted?: () => boolean },
  maxViewers?: number,
) {
  const push = new PushServer(
    {
      access: { enter: deps.enter },
      isDeleted: deps.isDeleted ?? (() => false),
      audit: { viewed: () => {} },
      viewers: { seen: () => {} },
      registry: { get: () => Promise.resolve({}) },
      playlists: { get: () => Promise.resolve(undefined) },
    } as unknown as ConstructorParameters<typeof PushServer>[0],
    maxViewers,
  );
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request, socket, head) => push.upgrade(request, socket, head));
  await once(server, 'listening');
  open.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  return { push, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
const ADMITTED = { sessionId: 's', isPrivate: false };

test('who comes when there are too many viewers is sent away', async () => {
  const { push, url } = await pushAlone({ enter: () => Promise.resolve(ADMITTED) }, 1);
  const first = new Viewer({ url }, 's');
  await until(() => push.size === 1);
  await new Viewer({ url }, 's').closedWith(1013);
  push.close();
  await first.closedWith(1012);
});

test('those who are being let in count among the viewers', async () => {
  const entering = deferred<object>();
  const { push, url } = await pushAlone({ enter: () => entering.promise }, 1);
  const first = new Viewer({ url }, 's');
  await until(() => first.socket.readyState === WebSocket.OPEN);
  await new Viewer({ url }, 's').closedWith(1013);
  entering.resolve(ADMITTED);
  await until(() => push.size === 1);
  push.close();
  await first.closedWith(1012);
});

test('who is being let in while the session is deleted sees nothing of it', async () => {
  let isDeleted = false;
  const enter = () => {
    isDeleted = true;
    return Promise.resolve(ADMITTED);
  };
  const { push, url } = await pushAlone({ enter, isDeleted: () => isDeleted });
  await new Viewer({ url }, 's').closedWith(4404);
  expect(push.size).toBe(0);
  push.close();
});
