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
  /** Whether its middle is. */
  isWhite: boolean;
}

interface SteppedThrough {
  width: number;
  height: number;
  frames: ShownFrame[];
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
          shown.push({ seconds: mediaTime, ...window.readMarks(video) });
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

  /**
   * Seeks to each of the first `count` frames, one after another; resolves to what was shown there, and
   * its size.
   */
  async step(url: string, count: number, fps: number): Promise<SteppedThrough> {
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
          shown.push({ seconds, ...window.readMarks(video) });
        }
        return { width: video.videoWidth, height: video.videoHeight, frames: shown };
      },
      { url, count, fps },
    );
  }

  /**
   * Plays a stream that has ended, and listens: when clicks begin, in seconds of the stream; undefined
   * where it has no sound.
   */
  async listen(url: string): Promise<number[] | undefined> {
    return this.page.evaluate(
      async ({ url, worklet }) => {
        const { video, failed } = window.load(url, { lowLatencyMode: false });
        video.muted = false;
        const context = new AudioContext();
        await context.audioWorklet.addModule(
          URL.createObjectURL(new Blob([worklet], { type: 'text/javascript' })),
        );
        const listener = new AudioWorkletNode(context, 'click-listener');
        const clicks: number[] = [];
        listener.port.onmessage = ({ data }) => clicks.push(data as number);
        context.createMediaElementSource(video).connect(listener).connect(context.destination);
        const ended = new Promise((resolve) => video.addEventListener('ended', resolve));
        await Promise.race([video.play(), failed]);
        // Between the audio context's clock and the stream's.
        const shifts: number[] = [];
        const look = () => shifts.push(video.currentTime - context.currentTime);
        const looking = setInterval(look, 20);
        await Promise.race([ended, failed]);
        clearInterval(looking);
        const { webkitAudioDecodedByteCount: heard } = video as HTMLVideoElement & {
          webkitAudioDecodedByteCount?: number;
        };
        await context.close();
        const shift = shifts.sort((a, b) => a - b)[Math.floor(shifts.length / 2)] ?? NaN;
        return heard === 0 ? undefined : clicks.map((at) => at + shift);
      },
      { url, worklet: CLICK_LISTENER },
    );
  }

  async close(): Promise<void> {
    await this.page.close();
    this.closeServer();
  }
}

/** An audio worklet that tells the times, by its context's clock, at which clicks begin. */
const CLICK_LISTENER = `
  registerProcessor('click-listener', class extends AudioWorkletProcessor {
    #last = -Infinity;
    process([input]) {
      (input[0] ?? []).forEach((sample, n) => {
        if (Math.abs(sample) < 0.18) return;
        const at = currentTime + n / sampleRate;
        if (at - this.#last > 0.5) this.port.postMessage(at);
        this.#last = at;
      });
      return true;
    }
  });
`;

/** Runs in the page. */
function prepare(): void {
  const canvas = new OffscreenCanvas(640, 80);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  window.readMarks = (video) => {
    if (!context) throw new Error('no canvas');
    const { videoWidth: width, videoHeight: height } = video;
    context.drawImage(video, 0, 0, width, 2 * Math.floor(width / 32), 0, 0, 640, 40);
    context.drawImage(video, width / 4, height / 4, width / 2, height / 2, 0, 40, 640, 40);
    const { data } = context.getImageData(0, 0, 640, 80);
    const green = (x: number, y: number) => data[4 * (640 * y + x) + 1] ?? 0;
    let number = 0;
    for (let bit = 0; bit < 16; bit++)
      number = 2 * number + (green(40 * bit + 20, 20) > 125 ? 1 : 0);
    return { number, isWhite: green(320, 60) > 180 };
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
    /** What the picture that is shown says. */
    readMarks: (video: HTMLVideoElement) => Pick<ShownFrame, 'number' | 'isWhite'>;
    /** `failed` rejects with what hls.js cannot mend. */
    load: (
      url: string,
      config: PlayerConfig,
    ) => { video: HTMLVideoElement; failed: Promise<never> };
  }
}
