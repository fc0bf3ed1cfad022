import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { parse } from 'node:querystring';
import type { Logger } from '@facecast/shared/runtime/logger';
import { RECORDING_FILES } from '@facecast/shared/protocol/recording-folder';
import { answerError, HttpError } from '../errors.js';
import type { Admission, SessionAccess } from '../access/session-access.js';
import type { WithheldRecordings } from '../access/withheld-recordings.js';
import type { Audit } from '../access/audit.js';
import type { GatewayMetrics } from '../metrics.js';
import type { Recordings } from '../media/recordings.js';
import { viewerOf, type Viewers } from '../sessions/viewers.js';
import { acceptsGzip } from './accepts-gzip.js';
import { decideMissingFile, decidePlaylist } from './decide.js';
import { readDirectives } from './directives.js';
import type { HeldRequest, LivePlaylist } from './live-playlist.js';
import type { LivePlaylists } from './live-playlists.js';
import { LIVE_CACHE, PRIVATE_CACHE } from '../media/cache-control.js';
import { mediaKind } from '../media/media-name.js';
import type { MediaSender } from '../media/media-sender.js';
import type { PlaylistVersion } from './playlist-version.js';

/** What playback works with. */
export interface PlaybackDeps {
  playlists: LivePlaylists;
  media: MediaSender;
  recordings: Recordings;
  viewers: Viewers;
  audit: Audit;
  access: SessionAccess;
  withheld: WithheldRecordings;
  metrics: Pick<GatewayMetrics, 'playbackSeconds' | 'requests'>;
  log: Logger;
  /** Number of trusted proxies in front. */
  trustProxy: number;
  /** Origins of other sites whose pages may send cookies along. */
  allowedOrigins: readonly string[];
}

/** Answers a request and returns true; returns false if the request is not for playback. */
export type PlaybackHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * `/hls/<session>/…`: the live playlist, held as players ask for it, and its media; the recording's, if
 * there is one. Without Express: each viewer makes twenty requests a second, and Express's routing costs
 * three times as much as the answer.
 */
export function playbackHandler(deps: PlaybackDeps): PlaybackHandler {
  return (request, response) => {
    const found = PATH.exec(request.url ?? '');
    if (!found) return false;
    const [, segment = '', file = '', query = ''] = found;
    openToAllPages(response, request.headers.origin, deps.allowedOrigins);
    const route = file === PLAYLIST ? '/hls/:sessionId/live.m3u8' : '/hls/:sessionId/:file';
    answer(deps, { request, response, segment, file, query })
      .catch((error: unknown) => answerError(deps.log, request, response, error))
      .finally(() => deps.metrics.requests.inc({ route, status: response.statusCode }));
    return true;
  };
}

const PATH = /^\/hls\/([^/?]+)\/([^/?]+)(?:\?(.*))?$/;
const PLAYLIST = 'live.m3u8';

interface Asked {
  request: IncomingMessage;
  response: ServerResponse;
  /** The part of the path that names the session. */
  segment: string;
  file: string;
  query: string;
}

type Exchange = Asked & Admission;

async function answer(deps: PlaybackDeps, asked: Asked): Promise<void> {
  const { request, response, segment, file, query } = asked;
  if (request.method === 'OPTIONS') return allowViewerHeader(response);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new HttpError(405, 'This can only be read.');
  }
  const joined = await deps.access.join(request, segment);
  if (joined) return sendOn(response, `../${joined.segment}/${file}`, query);
  const admission = await deps.access.enter(request, response, segment);
  const exchange = { ...asked, ...admission };
  const { sessionId, subject } = admission;
  if (file === RECORDING_FILES.playlist || file === RECORDING_FILES.media) {
    await deps.withheld.enter(request, response, sessionId);
    if (file === RECORDING_FILES.playlist) await deps.recordings.sendPlaylist(response, sessionId);
    else await deps.recordings.sendMedia(request, response, sessionId, 'stream');
    const viewer = viewerOf(request, deps.trustProxy);
    return deps.audit.viewed(viewer, sessionId, subject, 'view recording');
  }
  const kind = file === PLAYLIST ? 'playlist' : mediaKind(file);
  if (!kind) throw new HttpError(404, 'There is no such file.');
  const answered = deps.metrics.playbackSeconds.startTimer({ kind });
  if (kind === 'playlist') await answerPlaylist(deps, exchange);
  else await answerMedia(deps, exchange);
  answered();
}

async function answerPlaylist(deps: PlaybackDeps, exchange: Exchange): Promise<void> {
  const { request, response, sessionId, query, subject } = exchange;
  const playlist = await findPlaylist(deps, sessionId);
  const viewer = viewerOf(request, deps.trustProxy);
  deps.viewers.seen(sessionId, viewer);
  deps.audit.viewed(viewer, sessionId, subject);
  const directives = readDirectives(parse(query));
  const held = playlist.hold((state) => decidePlaylist(state, directives));
  const version = await waitUntilReady(response, held);
  if (!version) return;
  const encoding = acceptsGzip(request.headers['accept-encoding']) ? 'gzip' : 'identity';
  const skip = directives === 'malformed' ? undefined : directives.skip;
  const body = version.body(skip, encoding);
  response.appendHeader('Vary', 'Accept-Encoding').writeHead(200, {
    'Content-Type': 'application/vnd.apple.mpegurl',
    'Content-Length': body.length,
    'Cache-Control': cacheOf(exchange),
    ...(encoding === 'gzip' ? { 'Content-Encoding': 'gzip' } : {}),
  });
  response.end(body);
}

async function answerMedia(deps: PlaybackDeps, exchange: Exchange): Promise<void> {
  const { request, response, sessionId, file } = exchange;
  const path = join(sessionId, file);
  const send = () => deps.media.send(request, response, path, cacheOf(exchange));
  if (await send()) return;
  const playlist = await findPlaylist(deps, sessionId);
  const held = playlist.hold((state) => decideMissingFile(state, file));
  if (!(await waitUntilReady(response, held))) return;
  if (!(await send())) throw new HttpError(404, 'There is no such file (any more).');
}

function cacheOf({ isPrivate }: Exchange): string {
  return isPrivate ? PRIVATE_CACHE : LIVE_CACHE;
}

/** Redirects to the same file at the address with the pass in it, so that a playlist's own links have it, too. */
function sendOn(response: ServerResponse, path: string, query: string): void {
  const others = new URLSearchParams(query);
  others.delete('link');
  const rest = others.size > 0 ? `?${others.toString()}` : '';
  response.writeHead(307, { Location: `${path}${rest}`, 'Cache-Control': PRIVATE_CACHE });
  response.end();
}

async function findPlaylist({ playlists }: PlaybackDeps, id: string): Promise<LivePlaylist> {
  const playlist = await playlists.get(id);
  if (!playlist) throw new HttpError(404, 'There is no such session, or it has no playlist yet.');
  return playlist;
}

/** Resolves when the request may be answered; to undefined if its client has gone. */
async function waitUntilReady(
  response: ServerResponse,
  held: HeldRequest,
): Promise<PlaylistVersion | undefined> {
  if (response.destroyed) held.leave();
  else response.once('close', held.leave);
  const outcome = await held.outcome;
  if (outcome.kind === 'refuse') throw new HttpError(outcome.status, outcome.message);
  return outcome.kind === 'now' ? outcome.version : undefined;
}

/**
 * Sets headers so that a player on any page may play a session and see the whole size of a range. With
 * cookies (`withCredentials`), only pages of an `allowed` origin may, and browsers require the origin's
 * name.
 */
function openToAllPages(
  response: ServerResponse,
  origin: string | undefined,
  allowed: readonly string[],
): void {
  const isNamed = origin !== undefined && allowed.includes(origin);
  response.setHeader('Access-Control-Allow-Origin', isNamed ? origin : '*');
  if (isNamed) response.setHeader('Access-Control-Allow-Credentials', 'true');
  // A cached answer for one page must not be used for another.
  if (allowed.length > 0) response.setHeader('Vary', 'Origin');
  response.setHeader(
    'Access-Control-Expose-Headers',
    'Accept-Ranges, Content-Length, Content-Range',
  );
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  response.setHeader('X-Content-Type-Options', 'nosniff');
}

function allowViewerHeader(response: ServerResponse): void {
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, HEAD',
    'Access-Control-Allow-Headers': 'Range, X-Facecast-Viewer',
    'Access-Control-Max-Age': '86400',
  });
  response.end();
}
