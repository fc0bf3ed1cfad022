import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { sendFile } from './send-file.js';
import { mediaKind, type MediaKind } from './media-name.js';
import { RecentParts } from './recent-parts.js';

/**
 * A published media file never changes. But who deletes a session cannot reach the copies of it: a cache
 * may keep one for no longer than viewers at the live edge are apart, in seconds.
 */
const MAX_CACHED_SECONDS = 30;
/** A playlist that has ended changes no more, but goes away after some minutes. */
const MAX_CACHED_PLAYLIST_SECONDS = 10;

const CONTENT_TYPES: Record<MediaKind, string> = {
  init: 'video/mp4',
  segment: 'video/iso.segment',
  part: 'video/iso.segment',
};

/** Sends the media files of the HLS folder: parts from memory, the rest, and ranges, from disk. */
export class MediaSender {
  /** What caches are told about media and about an ended playlist. */
  readonly cache: { media: string; endedPlaylist: string };

  /** @param retentionSeconds how long an ended session stays playable: no cache keeps it for longer */
  constructor(
    private readonly hlsDir: string,
    retentionSeconds: number,
    private readonly parts = new RecentParts(),
  ) {
    const atMost = (seconds: number) => Math.floor(Math.min(seconds, retentionSeconds));
    this.cache = {
      media: `public, max-age=${atMost(MAX_CACHED_SECONDS)}, immutable`,
      endedPlaylist: `public, max-age=${atMost(MAX_CACHED_PLAYLIST_SECONDS)}`,
    };
  }

  /**
   * Sends a file, named from the HLS folder on; resolves to false, and sends nothing, where there is
   * none.
   */
  async send(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    cache = this.cache.media,
  ): Promise<boolean> {
    const kind = mediaKind(basename(path)) ?? 'segment';
    if (kind === 'part' && request.headers.range === undefined)
      return this.sendPart(response, path, cache);
    const headers = { 'Content-Type': CONTENT_TYPES[kind], 'Cache-Control': cache };
    return sendFile(request, response, { root: this.hlsDir, path, headers });
  }

  private async sendPart(response: ServerResponse, path: string, cache: string): Promise<boolean> {
    const body = await this.readPart(path);
    if (!body) return false;
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES.part,
      'Content-Length': body.length,
      'Cache-Control': cache,
      'Accept-Ranges': 'bytes',
    });
    response.end(body);
    return true;
  }

  private async readPart(path: string): Promise<Buffer | undefined> {
    try {
      return await this.parts.read(join(this.hlsDir, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
