import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { sendFile } from './send-file.js';
import { mediaKind, type MediaKind } from './media-name.js';
import { RecentParts, type Part } from './recent-parts.js';

const CONTENT_TYPES: Record<MediaKind, string> = {
  init: 'video/mp4',
  segment: 'video/iso.segment',
  part: 'video/iso.segment',
};

/** Sends the media files of the HLS folder: parts from a cache, other files and ranges from the volume. */
export class MediaSender {
  constructor(
    private readonly hlsDir: string,
    private readonly parts = new RecentParts(),
  ) {}

  /**
   * Sends a file, named by its path in the HLS folder; if there is none, resolves to false and sends
   * nothing.
   */
  async send(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    cache: string,
  ): Promise<boolean> {
    const kind = mediaKind(basename(path)) ?? 'segment';
    if (kind === 'part' && request.headers.range === undefined)
      return this.sendPart(request, response, path, cache);
    const headers = { 'Content-Type': CONTENT_TYPES[kind], 'Cache-Control': cache };
    return sendFile(request, response, { root: this.hlsDir, path, headers });
  }

  private async sendPart(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    cache: string,
  ): Promise<boolean> {
    const part = await this.readPart(path);
    if (!part) return false;
    const { bytes, etag } = part;
    response.setHeader('Cache-Control', cache).setHeader('ETag', etag);
    if (request.headers['if-none-match']?.includes(etag)) {
      response.writeHead(304).end();
      return true;
    }
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES.part,
      'Content-Length': bytes.length,
      'Accept-Ranges': 'bytes',
    });
    response.end(bytes);
    return true;
  }

  private async readPart(path: string): Promise<Part | undefined> {
    try {
      return await this.parts.read(join(this.hlsDir, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
