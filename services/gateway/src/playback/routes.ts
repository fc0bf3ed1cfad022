import { join } from 'node:path';
import { Router, type Request, type RequestHandler, type Response } from 'express';
import { Refusal } from '../errors.js';
import type { GatewayMetrics } from '../metrics.js';
import { isSessionId } from '../session-id.js';
import { viewerOf, type Viewers } from '../viewers.js';
import { decideMissingFile, decidePlaylist } from './decide.js';
import { readDirectives, type Directives, type Malformed } from './directives.js';
import type { HeldRequest } from './live-playlist.js';
import type { LivePlaylists } from './live-playlists.js';
import { mediaKind, type MediaKind } from './media-name.js';
import type { PlaylistVersion } from './playlist-version.js';
import type { RecentParts } from './recent-parts.js';

/** A published media file never changes; an hour is longer than a session can be played after it. */
const MEDIA_CACHE = 'public, max-age=3600, immutable';
/** A playlist that has ended changes no more, but goes away after some minutes. */
const ENDED_PLAYLIST_CACHE = 'public, max-age=10';

const CONTENT_TYPES: Record<MediaKind, string> = {
  init: 'video/mp4',
  segment: 'video/iso.segment',
  part: 'video/iso.segment',
};

/** What playback is made of. */
export interface Playback {
  /** Where each session has a folder. */
  hlsDir: string;
  playlists: LivePlaylists;
  parts: RecentParts;
  viewers: Viewers;
  metrics: Pick<GatewayMetrics, 'playbackSeconds'>;
}

/** `/hls/<session>/…`: the live playlist, held as players ask for it, and the media it lists. */
export function playbackRoutes(playback: Playback): Router {
  const router = Router();
  router.use('/hls', openToAllPages);
  router.get('/hls/:sessionId/live.m3u8', async (request, response) => {
    const finished = playback.metrics.playbackSeconds.startTimer({ kind: 'playlist' });
    const { sessionId } = request.params;
    const playlist = await findPlaylist(playback, sessionId);
    playback.viewers.seen(sessionId, viewerOf(request));
    const directives = readDirectives(request.query);
    const version = await waitUntilReady(
      response,
      playlist.hold((state) => decidePlaylist(state, directives)),
    );
    if (!version) return;
    sendPlaylist(request, response, version, directives);
    finished();
  });
  router.get('/hls/:sessionId/:file', async (request, response) => {
    const { sessionId, file } = request.params;
    const kind = mediaKind(file);
    if (!kind || !isSessionId(sessionId)) throw new Refusal(404, 'There is no such file.');
    const finished = playback.metrics.playbackSeconds.startTimer({ kind });
    const send = () => sendMedia(playback, request, response, kind, join(sessionId, file));
    if (!(await send())) {
      const playlist = await findPlaylist(playback, sessionId);
      const held = playlist.hold((state) => decideMissingFile(state, file));
      if (!(await waitUntilReady(response, held))) return;
      if (!(await send())) throw new Refusal(404, 'There is no such file (any more).');
    }
    finished();
  });
  return router;
}

/** A player on anybody's page may play a session that it knows the address of. */
const openToAllPages: RequestHandler = (request, response, next) => {
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (request.method !== 'OPTIONS') return next();
  response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD');
  response.setHeader('Access-Control-Allow-Headers', 'Range, X-Facecast-Viewer');
  response.setHeader('Access-Control-Max-Age', '86400');
  response.status(204).end();
};

async function findPlaylist({ playlists }: Playback, sessionId: string) {
  const playlist = isSessionId(sessionId) ? await playlists.get(sessionId) : undefined;
  if (!playlist) throw new Refusal(404, 'There is no such session, or it has no playlist yet.');
  return playlist;
}

/** Resolves when the request may be answered; to undefined where its client has gone. */
async function waitUntilReady(
  response: Response,
  held: HeldRequest,
): Promise<PlaylistVersion | undefined> {
  if (response.destroyed) held.leave();
  else response.once('close', held.leave);
  const outcome = await held.outcome;
  if (outcome.kind === 'refuse') throw new Refusal(outcome.status, outcome.message);
  return outcome.kind === 'now' ? outcome.version : undefined;
}

function sendPlaylist(
  request: Request,
  response: Response,
  version: PlaylistVersion,
  directives: Directives | Malformed,
): void {
  const encoding = request.acceptsEncodings('gzip', 'identity') === 'gzip' ? 'gzip' : 'identity';
  const skip = directives === 'malformed' ? undefined : directives.skip;
  const body = version.body(skip, encoding);
  if (encoding === 'gzip') response.setHeader('Content-Encoding', 'gzip');
  response.writeHead(200, {
    'Content-Type': 'application/vnd.apple.mpegurl',
    'Content-Length': body.length,
    'Cache-Control': version.state.ended ? ENDED_PLAYLIST_CACHE : 'no-cache',
    Vary: 'Accept-Encoding',
  });
  response.end(body);
}

/** Sends a file of the HLS folder; resolves to false, and sends nothing, where there is none. */
async function sendMedia(
  { hlsDir, parts }: Playback,
  request: Request,
  response: Response,
  kind: MediaKind,
  path: string,
): Promise<boolean> {
  try {
    if (kind === 'part' && request.headers.range === undefined) {
      const body = await parts.read(join(hlsDir, path));
      response.writeHead(200, {
        'Content-Type': CONTENT_TYPES[kind],
        'Content-Length': body.length,
        'Cache-Control': MEDIA_CACHE,
        'Accept-Ranges': 'bytes',
      });
      response.end(body);
    } else {
      await sendFile(response, hlsDir, path, CONTENT_TYPES[kind]);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function sendFile(response: Response, root: string, path: string, type: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': type, 'Cache-Control': MEDIA_CACHE };
    response.sendFile(path, { root, headers }, (error?: Error) => {
      // A client that goes away in the middle is no error of ours.
      if (!error || response.headersSent) resolve();
      else reject(error);
    });
  });
}
