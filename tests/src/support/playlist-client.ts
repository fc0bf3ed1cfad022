import { Agent, get } from 'node:http';
import { parse, setOptions, types } from 'hls-parser';

// The tests of the segmenter check the playlists' validity.
setOptions({ silent: true });

/** The answer to a request. */
export interface Answer {
  status: number;
  body: Buffer;
}

/** An HTTP client with connections of its own, as one player has them. */
export class HttpClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 6 });

  get(url: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      get(url, { agent: this.agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
        );
        response.on('error', reject);
      }).on('error', reject);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Reads a media playlist; throws if it is none, or not complete. */
export function readPlaylist({ status, body }: Answer): types.MediaPlaylist {
  const text = body.toString();
  if (status !== 200) throw new Error(`the playlist was answered with ${status}: ${text}`);
  if (!/\n#EXT-X-(ENDLIST|PRELOAD-HINT:.*)\n$/.test(text)) throw new Error(`cut off: ${text}`);
  return parse(text) as types.MediaPlaylist;
}

/** The part that a playlist's next version will have: what a low-latency player asks for. */
export function nextPart({ segments }: types.MediaPlaylist): { msn: number; part: number } {
  const last = segments.at(-1);
  if (!last) return { msn: 0, part: 0 };
  const parts = last.parts.filter(({ hint }) => !hint).length;
  const msn = last.mediaSequenceNumber;
  return last.uri ? { msn: msn + 1, part: 0 } : { msn, part: parts };
}
