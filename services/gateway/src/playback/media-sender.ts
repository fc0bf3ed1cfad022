import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { deferred } from '@facecast/shared/deferred';
import send from 'send';
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
    const isWholePart = kind === 'part' && request.headers.range === undefined;
    try {
      if (isWholePart) await this.sendPart(response, path);
      else await this.sendFile(request, response, path, kind);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  private async sendPart(response: ServerResponse, path: string): Promise<void> {
    const body = await this.parts.read(join(this.hlsDir, path));
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES.part,
      'Content-Length': body.length,
      'Cache-Control': CACHE,
      'Accept-Ranges': 'bytes',
    });
    response.end(body);
  }

  private async sendFile(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    kind: MediaKind,
  ): Promise<void> {
    const { promise, resolve, reject } = deferred();
    response.once('close', resolve);
    send(request, path, { root: this.hlsDir })
      .on('headers', () => {
        response.setHeader('Content-Type', CONTENT_TYPES[kind]);
        response.setHeader('Cache-Control', CACHE);
      })
      .on('end', resolve)
      .on('error', reject)
      .pipe(response);
    await promise;
  }
}
