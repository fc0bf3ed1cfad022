import { HttpClient } from '../support/playlist-client.js';

/** Waits on a blocking reload all the time and fetches every part, as a low-latency player does. */
export class Viewer {
  parts = 0;
  badAnswers = 0;
  private readonly http = new HttpClient();
  private readonly folder: string;
  private newest: string | undefined;

  /** @param url of the gateway */
  constructor(url: string, sessionId: string) {
    this.folder = `${url}/hls/${sessionId}/`;
  }

  async watch(signal: AbortSignal): Promise<void> {
    let playlist = await this.load('');
    this.newest = newParts(playlist, undefined).at(-1);
    while (!signal.aborted) {
      playlist = await this.load(directives(playlist));
      for (const name of newParts(playlist, this.newest)) {
        await this.fetchPart(name);
        this.newest = name;
      }
    }
    this.http.close();
  }

  private async load(query: string): Promise<string> {
    const { status, body } = await this.http.get(`${this.folder}live.m3u8${query}`);
    if (status !== 200) this.badAnswers++;
    return body.toString('latin1');
  }

  private async fetchPart(name: string): Promise<void> {
    const { status } = await this.http.get(this.folder + name);
    if (status === 200) this.parts++;
    else this.badAnswers++;
  }
}

// Hundreds of viewers share the machine with what is measured: they read only the end of a playlist,
// where a parser would read all of it ten times a second each.

/** The request that waits for the part after the newest: the one that the playlist hints at. */
function directives(playlist: string): string {
  const [, msn, part] = /PRELOAD-HINT:.*URI="(\d+)\.(\d+)\.m4s"\n$/.exec(playlist) ?? [];
  return msn === undefined ? '' : `?_HLS_msn=${msn}&_HLS_part=${part}`;
}

/** Names of the parts after `known`; of all, where it is not listed. */
function newParts(playlist: string, known: string | undefined): string[] {
  const from = known === undefined ? 0 : Math.max(0, playlist.lastIndexOf(`"${known}"`) + 1);
  return Array.from(
    playlist.slice(from).matchAll(/#EXT-X-PART:.*URI="([^"]+)"/g),
    ([, uri]) => uri!,
  );
}
