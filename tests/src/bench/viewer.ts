import { HttpClient, nextPart, partsOf, readPlaylist } from '../support/player.js';

/** Waits on a blocking reload all the time and fetches every part, as a low-latency player does. */
export class Viewer {
  parts = 0;
  badAnswers = 0;
  private readonly http = new HttpClient();
  private readonly folder: string;

  /** @param url of the gateway */
  constructor(url: string, sessionId: string) {
    this.folder = `${url}/hls/${sessionId}/`;
  }

  async watch(signal: AbortSignal): Promise<void> {
    let playlist = readPlaylist(await this.http.get(`${this.folder}live.m3u8`));
    let newest = partsOf(playlist).at(-1);
    while (!signal.aborted) {
      const { msn, part } = nextPart(playlist);
      const answer = await this.http.get(
        `${this.folder}live.m3u8?_HLS_msn=${msn}&_HLS_part=${part}`,
      );
      if (answer.status !== 200) {
        this.badAnswers++;
        continue;
      }
      playlist = readPlaylist(answer);
      const parts = partsOf(playlist);
      for (const name of parts.slice(parts.indexOf(newest ?? '') + 1)) await this.fetchPart(name);
      newest = parts.at(-1);
    }
    this.http.close();
  }

  private async fetchPart(name: string): Promise<void> {
    const { status } = await this.http.get(this.folder + name);
    if (status === 200) this.parts++;
    else this.badAnswers++;
  }
}
