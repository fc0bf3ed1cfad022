import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { sendFile } from '../send-file.js';
import { mediaKind, type MediaKind } from './media-name.js';
import { RecentParts } from './recent-parts.js';

/** A published media file never changes; an hour is longer than a session can be played after it. */
const CACHE = 'public, max-age=3600, immutable';

const CONTENT_TYPES: Record<MediaKind, string> = {
  init: 'video/mp4',
  segment: 'video/iso.segment',
  part: 'video/iso.segment',
};

/** Sends the media files of the HLS folder: parts from memory, the rest, and ranges, from disk. */
export class MediaSender {
  constructor(
    private readonly hlsDir: string,
    private readonly parts = new RecentParts(),
  ) {}

  /**
   * Sends a file, named from the HLS folder on; resolves to false, and sends nothing, where there is
   * none.
   */
  async send(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> {
    const kind = mediaKind(basename(path)) ?? 'segment';
    if (kind === 'part' && request.headers.range === undefined)
      return this.sendPart(response, path);
    const headers = { 'Content-Type': CONTENT_TYPES[kind], 'Cache-Control': CACHE };
    return sendFile(request, response, { root: this.hlsDir, path, headers });
  }

  private async sendPart(response: ServerResponse, path: string): Promise<boolean> {
    const body = await this.readPart(path);
    if (!body) return false;
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES.part,
      'Content-Length': body.length,
      'Cache-Control': CACHE,
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
