import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { default as Hls, Events } from 'hls.js';
import type { Browser, Page } from 'playwright-core';

/** One picture that a browser showed: its place in the stream, and the number burnt into it. */
export interface ShownFrame {
  seconds: number;
  number: number;
}

interface PlayerConfig {
  lowLatencyMode: boolean;
}

/** hls.js with a bare `<video>`, on somebody else's page: whoever has the link may play a stream. */
export class HlsJsPage {
  /** Playlists that came and left out what the player has already (rfc8216bis 6.2.5.1). */
  deltaUpdates = 0;

  private constructor(
    private readonly page: Page,
    private readonly closeServer: () => void,
  ) {
    page.on('response', (response) => {
      if (!response.url().includes('_HLS_skip=')) return;
      const count = (text: string) => {
        if (text.includes('\n#EXT-X-SKIP:')) this.deltaUpdates++;
      };
      // A body may be gone with its page.
      response.text().then(count, () => {});
    });
  }

  static async open(browser: Browser): Promise<HlsJsPage> {
    const script = await readFile(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'));
    const server = createServer(({ url }, response) => {
      response.setHeader('content-type', url === '/' ? 'text/html' : 'text/javascript');
      response.end(url === '/' ? '<!doctype html><script src="hls.js"></script>' : script);
    }).listen(0);
    await once(server, 'listening');
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await page.evaluate(prepare);
    return new HlsJsPage(page, () => {
      server.close();
      server.closeAllConnections();
    });
  }

  /**
   * Plays a stream from its first frame to its end, as it comes. Resolves to what was shown, which
   * is not all where a browser has no graphics card, and to how many pictures were decoded.
   */
  async play(url: string, config: PlayerConfig): Promise<{ shown: ShownFrame[]; decoded: number }> {
    return this.page.evaluate(
      async ({ url, config }) => {
        const { video, failed } = window.load(url, config);
        const shown: ShownFrame[] = [];
        const look = (_: number, { mediaTime }: VideoFrameCallbackMetadata) => {
          shown.push({ seconds: mediaTime, number: window.readNumber(video) });
          video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
        const ended = new Promise((resolve) => video.addEventListener('ended', resolve));
        await Promise.race([video.play(), failed]);
        await Promise.race([ended, failed]);
        return { shown, decoded: video.getVideoPlaybackQuality().totalVideoFrames };
      },
      { url, config },
    );
  }

  /** Seeks to each of the first `count` frames, one after another; resolves to what was shown there. */
  async step(url: string, count: number, fps: number): Promise<ShownFrame[]> {
    return this.page.evaluate(
      async ({ url, count, fps }) => {
        const { video, failed } = window.load(url, { lowLatencyMode: true });
        const loaded = new Promise((resolve) => video.addEventListener('loadeddata', resolve));
        await Promise.race([loaded, failed]);
        const shown: ShownFrame[] = [];
        for (let frame = 0; frame < count; frame++) {
          // `seeked` comes before the picture is there.
          const painted = new Promise<number>((resolve) =>
            video.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime)),
          );
          video.currentTime = (frame + 0.5) / fps;
          const seconds = await Promise.race([painted, failed]);
          shown.push({ seconds, number: window.readNumber(video) });
        }
        return shown;
      },
      { url, count, fps },
    );
  }

  async close(): Promise<void> {
    await this.page.close();
    this.closeServer();
  }
}

/** Runs in the page. */
function prepare(): void {
  const canvas = new OffscreenCanvas(640, 40);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  window.readNumber = (video) => {
    if (!context) throw new Error('no canvas');
    context.drawImage(video, 0, 0, 640, 40, 0, 0, 640, 40);
    const { data } = context.getImageData(0, 20, 640, 1);
    let number = 0;
    for (let bit = 0; bit < 16; bit++)
      number = 2 * number + ((data[4 * (40 * bit + 20)] ?? 0) > 125 ? 1 : 0);
    return number;
  };
  window.load = (url, config) => {
    document.querySelector('video')?.remove();
    const video = document.createElement('video');
    video.muted = true;
    document.body.append(video);
    const hls = new window.Hls({ ...config, startPosition: 0 });
    const failed = new Promise<never>((_, reject) =>
      hls.on('hlsError' as Events.ERROR, (_, { fatal, details }) => {
        if (fatal) reject(new Error(details));
      }),
    );
    hls.loadSource(url);
    hls.attachMedia(video);
    return { video, failed };
  };
}

declare global {
  interface Window {
    Hls: typeof Hls;
    /** The number burnt into the picture that is shown. */
    readNumber: (video: HTMLVideoElement) => number;
    /** `failed` rejects with what hls.js cannot mend. */
    load: (
      url: string,
      config: PlayerConfig,
    ) => { video: HTMLVideoElement; failed: Promise<never> };
  }
}
