import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { parse } from 'node:querystring';
import type { Logger } from '@facecast/shared/runtime/logger';
import { RECORDING_FILES } from '@facecast/shared/protocol/recording-folder';
import { answerError, Refusal } from '../errors.js';
import type { Admission, SessionAccess } from '../access/session-access.js';
import type { Audit } from '../access/audit.js';
import type { GatewayMetrics } from '../metrics.js';
import type { Recordings } from '../media/recordings.js';
import { viewerOf, type Viewers } from '../sessions/viewers.js';
import { acceptsGzip } from './accepts-gzip.js';
import { decideMissingFile, decidePlaylist } from './decide.js';
import { readDirectives } from './directives.js';
import type { HeldRequest, LivePlaylist } from './live-playlist.js';
import type { LivePlaylists } from './live-playlists.js';
import { mediaKind } from '../media/media-name.js';
import type { MediaSender } from '../media/media-sender.js';
import type { PlaylistVersion } from './playlist-version.js';

/** What playback is made of. */
export interface PlaybackParts {
  playlists: LivePlaylists;
  media: MediaSender;
  recordings: Recordings;
  viewers: Viewers;
  audit: Audit;
  access: SessionAccess;
  metrics: Pick<GatewayMetrics, 'playbackSeconds' | 'requests'>;
  log: Logger;
  /** How many proxies in front are believed. */
  trustProxy: number;
}

/** Answers a request and says true; false if it is for somebody else, who then answers it. */
export type PlaybackHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * `/hls/<session>/…`: the live playlist, held as players ask for it, and its media; the recording's, if
 * there is one. Without Express: each viewer makes twenty requests a second, and Express's way to a
 * handler costs three times what the answer does.
 */
export function playbackHandler(parts: PlaybackParts): PlaybackHandler {
  return (request, response) => {
    const found = PATH.exec(request.url ?? '');
    if (!found) return false;
    const [, segment = '', file = '', query = ''] = found;
    openToAllPages(response);
    const route = file === PLAYLIST ? '/hls/:sessionId/live.m3u8' : '/hls/:sessionId/:file';
    answer(parts, { request, response, segment, file, query })
      .catch((error: unknown) => answerError(parts.log, request, response, error))
      .finally(() => parts.metrics.requests.inc({ route, status: response.statusCode }));
    return true;
  };
}

const PATH = /^\/hls\/([^/?]+)\/([^/?]+)(?:\?(.*))?$/;
const PLAYLIST = 'live.m3u8';
/** `Cache-Control` of private sessions: no cache keeps them. */
const PRIVATE_CACHE = 'private, no-store';

interface Asked {
  request: IncomingMessage;
  response: ServerResponse;
  /** The part of the path that names the session. */
  segment: string;
  file: string;
  query: string;
}

type Exchange = Asked & Admission;

async function answer(parts: PlaybackParts, asked: Asked): Promise<void> {
  const { request, response, segment, file, query } = asked;
  if (request.method === 'OPTIONS') return allowViewerHeader(response);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Refusal(405, 'This can only be read.');
  }
  const joined = await parts.access.join(request, segment);
  if (joined) return sendOn(response, `/hls/${joined.segment}/${file}`, query);
  const admission = await parts.access.enter(request, response, segment);
  const exchange = { ...asked, ...admission };
  const { sessionId, subject } = admission;
  if (file === RECORDING_FILES.playlist) {
    await parts.recordings.sendPlaylist(response, sessionId);
    return parts.audit.viewed(viewerOf(request, parts.trustProxy), sessionId, subject);
  }
  if (file === RECORDING_FILES.media)
    return parts.recordings.sendMedia(request, response, sessionId, 'stream');
  const kind = file === PLAYLIST ? 'playlist' : mediaKind(file);
  if (!kind) throw new Refusal(404, 'There is no such file.');
  const answered = parts.metrics.playbackSeconds.startTimer({ kind });
  if (kind === 'playlist') await answerPlaylist(parts, exchange);
  else await answerMedia(parts, exchange);
  answered();
}

async function answerPlaylist(parts: PlaybackParts, exchange: Exchange): Promise<void> {
  const { request, response, sessionId, query, subject } = exchange;
  const playlist = await findPlaylist(parts, sessionId);
  const viewer = viewerOf(request, parts.trustProxy);
  parts.viewers.seen(sessionId, viewer);
  parts.audit.viewed(viewer, sessionId, subject);
  const directives = readDirectives(parse(query));
  const held = playlist.hold((state) => decidePlaylist(state, directives));
  const version = await waitUntilReady(response, held);
  if (!version) return;
  const encoding = acceptsGzip(request.headers['accept-encoding']) ? 'gzip' : 'identity';
  const skip = directives === 'malformed' ? undefined : directives.skip;
  const body = version.body(skip, encoding);
  response.writeHead(200, {
    'Content-Type': 'application/vnd.apple.mpegurl',
    'Content-Length': body.length,
    'Cache-Control': playlistCache(parts, exchange, version),
    Vary: 'Accept-Encoding',
    ...(encoding === 'gzip' ? { 'Content-Encoding': 'gzip' } : {}),
  });
  response.end(body);
}

async function answerMedia(parts: PlaybackParts, exchange: Exchange): Promise<void> {
  const { request, response, sessionId, file } = exchange;
  const cache = exchange.isPrivate ? PRIVATE_CACHE : parts.media.cache.media;
  const send = () => parts.media.send(request, response, join(sessionId, file), cache);
  if (await send()) return;
  const playlist = await findPlaylist(parts, sessionId);
  const held = playlist.hold((state) => decideMissingFile(state, file));
  if (!(await waitUntilReady(response, held))) return;
  if (!(await send())) throw new Refusal(404, 'There is no such file (any more).');
}

function playlistCache(parts: PlaybackParts, { isPrivate }: Exchange, { state }: PlaylistVersion) {
  if (isPrivate) return PRIVATE_CACHE;
  return state.ended ? parts.media.cache.endedPlaylist : 'no-cache';
}

/** Redirects to the same file at the address with the pass in it, so that a playlist's own links have it, too. */
function sendOn(response: ServerResponse, path: string, query: string): void {
  const others = new URLSearchParams(query);
  others.delete('link');
  const rest = others.size > 0 ? `?${others.toString()}` : '';
  response.writeHead(307, { Location: `${path}${rest}`, 'Cache-Control': PRIVATE_CACHE });
  response.end();
}

async function findPlaylist({ playlists }: PlaybackParts, id: string): Promise<LivePlaylist> {
  const playlist = await playlists.get(id);
  if (!playlist) throw new Refusal(404, 'There is no such session, or it has no playlist yet.');
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
  if (outcome.kind === 'refuse') throw new Refusal(outcome.status, outcome.message);
  return outcome.kind === 'now' ? outcome.version : undefined;
}

/** A player on anybody's page may play a session that it knows the address of. */
function openToAllPages(response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Origin', '*');
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
