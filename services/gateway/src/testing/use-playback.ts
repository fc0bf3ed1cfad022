import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionOwners } from '@facecast/shared/redis/session-owners';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { createLogger } from '@facecast/shared/runtime/logger';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import { Audit } from '../access/audit.js';
import { Bearers } from '../access/bearers.js';
import { Owners } from '../access/owners.js';
import { PublishTokens } from '../access/publish-tokens.js';
import { SessionAccess } from '../access/session-access.js';
import { TokenGuard } from '../access/token-guard.js';
import { WithheldRecordings } from '../access/withheld-recordings.js';
import { ViewingLinks } from '../access/viewing-links.js';
import { WrongTokens } from '../access/wrong-tokens.js';
import { answerError, HttpError } from '../errors.js';
import { MediaSender } from '../media/media-sender.js';
import { RecentParts } from '../media/recent-parts.js';
import { Recordings } from '../media/recordings.js';
import { createGatewayMetrics } from '../metrics.js';
import { LivePlaylists } from '../playback/live-playlists.js';
import { playbackHandler } from '../playback/playback-handler.js';
import { HeldRequestLimit } from '../playback/held-request-limit.js';
import { Viewers } from '../sessions/viewers.js';
import { testPlaylist, type TestPlaylist } from './test-playlist.js';
import { until } from './until.js';

/** A playlist while its session runs, with its next part, and after its end. */
export const LIVE: TestPlaylist = { firstMsn: 10, segments: 30, openParts: 4 };
export const NEXT: TestPlaylist = { ...LIVE, openParts: 5 };
export const ENDED: TestPlaylist = { firstMsn: 10, segments: 30, ended: true };

const log = createLogger('gateway', 'silent');

/** Gives a test file playback alone, with a clock of its own: of the session `s`, LIVE before each test. */
export function usePlayback(): Playback {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const playback = new Playback(redis);
  beforeEach(async () => {
    await redis.flushall();
    await playback.open();
  });
  afterEach(() => playback.close());
  afterAll(() => redis.quit());
  return playback;
}

class Playback {
  hlsDir = '';
  url = '';
  /** Milliseconds on the gateway's clock. */
  now = 0;
  playlists!: LivePlaylists;
  viewers!: Viewers;
  private server!: Server;

  constructor(private readonly redis: Redis) {}

  async open(): Promise<void> {
    this.hlsDir = await mkdtemp(join(tmpdir(), 'facecast-hls-'));
    await this.start(new HeldRequestLimit());
    await mkdir(join(this.hlsDir, 's'));
    await this.publish(LIVE);
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.hlsDir, { recursive: true });
  }

  readonly start = async (room: HeldRequestLimit): Promise<void> => {
    this.now = 1_000;
    const { redis, hlsDir } = this;
    const recordings = new Recordings('nowhere', { record: 'ask', keptHours: 24 });
    const owners = new Owners({
      registry: new SessionRegistry(redis),
      sessionOwners: new SessionOwners(redis),
      recordings,
      publishTokens: new PublishTokens({}, log),
      adminToken: undefined,
      bearers: new Bearers(new TokenGuard(new WrongTokens()), 0),
    });
    this.playlists = new LivePlaylists(hlsDir, log, { room, now: () => this.now });
    this.viewers = new Viewers(redis, log);
    const play = playbackHandler({
      playlists: this.playlists,
      media: new MediaSender(hlsDir, new RecentParts(undefined, () => this.now)),
      audit: new Audit(log),
      access: new SessionAccess({
        links: new ViewingLinks(redis, undefined),
        owners,
        isDeleted: () => false,
        trustProxy: 0,
        isSecure: false,
        basePath: '',
      }),
      withheld: new WithheldRecordings({ recordings, owners }),
      recordings,
      viewers: this.viewers,
      metrics: createGatewayMetrics(),
      log,
      trustProxy: 0,
      allowedOrigins: ['https://site.example'],
    });
    this.server = createServer((request, response) => {
      if (!play(request, response)) answerError(log, request, response, new HttpError(404, 'No.'));
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hls`;
  };

  readonly stop = async (): Promise<void> => {
    this.playlists.close();
    this.viewers.close();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  };

  /** Puts a playlist in place as the segmenter does, without telling anybody. */
  readonly publish = async (playlist: TestPlaylist): Promise<void> => {
    const path = join(this.hlsDir, 's', 'live.m3u8');
    await writeFile(`${path}.tmp`, testPlaylist(playlist));
    await rename(`${path}.tmp`, path);
  };

  /** Says that there is another part. */
  readonly tell = (): void =>
    this.playlists.receive({ type: 'part', sessionId: 's', msn: 0, part: 0, batches: 0 });

  /** Writes a media file. */
  readonly media = (name: string, content: string | Buffer): Promise<void> =>
    writeFile(join(this.hlsDir, 's', name), content);

  /** Lets so much time pass that no part is in memory. */
  readonly forgetParts = (): void => {
    this.now += 60_000;
  };

  readonly playlist = (query = ''): Promise<Response> => fetch(`${this.url}/s/live.m3u8${query}`);

  /** Resolves when that many requests are held. */
  readonly held = (count: number): Promise<void> => until(() => this.playlists.held === count);

  /** A request whose path and body nobody touches. */
  readonly raw = async (path: string, headers: Record<string, string> = {}) => {
    const { hostname, port } = new URL(this.url);
    const request = get({ hostname, port, path: `/hls/${path}`, headers });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
  };
}

/** The status and the code of a refused request, whose error is in words and kept by no cache. */
export async function playbackRefusal(answer: Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  expect(error.message).toMatch(/^[A-Z_].*\.$/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return [response.status, error.code];
}
