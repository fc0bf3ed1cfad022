import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { default as Hls, Events } from 'hls.js';
import type { Browser, Page } from 'playwright-core';
import { newPage } from './browser.js';

/** One picture that a browser showed: its time in the stream, and the number burnt into it. */
interface ShownFrame {
  seconds: number;
  number: number;
  /** Whether the middle of the picture is white. */
  isWhite: boolean;
}

interface SteppedThrough {
  width: number;
  height: number;
  frames: ShownFrame[];
}

interface PlayedThrough {
  shown: ShownFrame[];
  decoded: number;
  leftOut: number;
}

interface PlayerConfig {
  lowLatencyMode: boolean;
}

/** hls.js with a bare `<video>` on a page of another origin, where a stream may be played, too. */
export class HlsJsPage {
  /**
   * Number of delta updates that came: playlists without what the player has already (rfc8216bis 6.2.5.1).
   */
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
      // The body may be gone with its page.
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
    const page = await newPage(browser);
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await page.evaluate(prepare);
    return new HlsJsPage(page, () => {
      server.close();
      server.closeAllConnections();
    });
  }

  /**
   * Plays a live stream from its first frame to its end. Resolves to the pictures that were shown, which
   * are not all without a graphics card, the number of decoded pictures, and how many hls.js left out at
   * most when it stalled.
   */
  async play(url: string, config: PlayerConfig): Promise<PlayedThrough> {
    return this.page.evaluate(
      async ({ url, config }) => {
        const { video, failed, nudges } = window.load(url, config);
        const shown: ShownFrame[] = [];
        const look = (_: number, { mediaTime }: VideoFrameCallbackMetadata) => {
          shown.push({ seconds: mediaTime, ...window.readMarks(video) });
          video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
        const ended = new Promise((resolve) => video.addEventListener('ended', resolve));
        await Promise.race([video.play(), failed]);
        await Promise.race([ended, failed]);
        const { totalVideoFrames: decoded } = video.getVideoPlaybackQuality();
        // hls.js skips a tenth of a second, or two or three if that does not help.
        return { shown, decoded, leftOut: 9 * nudges() };
      },
      { url, config },
    );
  }

  /**
   * Seeks to each of the first `count` frames, one after another; resolves to the pictures that were shown,
   * and their size.
   */
  async step(url: string, count: number, fps: number): Promise<SteppedThrough> {
    return this.page.evaluate(
      async ({ url, count, fps }) => {
        const { video, failed } = window.load(url, { lowLatencyMode: true });
        const loaded = new Promise((resolve) => video.addEventListener('loadeddata', resolve));
        await Promise.race([loaded, failed]);
        const shown: ShownFrame[] = [];
        for (let frame = 0; frame < count; frame++) {
          // `seeked` comes before the picture is painted.
          const painted = new Promise<number>((resolve) =>
            video.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime)),
          );
          const seek = (part: number) => (video.currentTime = (frame + part) / fps);
          seek(0.5);
          // A busy browser may leave out what it was to paint, and paints nothing of its own accord while paused.
          const again = setInterval(
            () => seek(video.currentTime * fps - frame < 0.5 ? 0.6 : 0.4),
            5_000,
          );
          const seconds = await Promise.race([painted, failed]);
          clearInterval(again);
          shown.push({ seconds, ...window.readMarks(video) });
        }
        return { width: video.videoWidth, height: video.videoHeight, frames: shown };
      },
      { url, count, fps },
    );
  }

  /**
   * Plays a stream that has ended, and listens. Resolves to the times at which clicks begin, in seconds of
   * the stream; undefined if there are none.
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
        // Offsets between the audio context's clock and the stream's.
        const shifts: number[] = [];
        const look = () => shifts.push(video.currentTime - context.currentTime);
        const looking = setInterval(look, 20);
        await Promise.race([ended, failed]);
        clearInterval(looking);
        await context.close();
        const shift = shifts.sort((a, b) => a - b)[Math.floor(shifts.length / 2)] ?? NaN;
        return clicks.length === 0 ? undefined : clicks.map((at) => at + shift);
      },
      { url, worklet: CLICK_LISTENER },
    );
  }

  async close(): Promise<void> {
    await this.page.close();
    this.closeServer();
  }
}

/** An audio worklet that reports the times at which clicks begin, by its context's clock. */
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
    let nudges = 0;
    const failed = new Promise<never>((_, reject) => {
      hls.on('hlsError' as Events.ERROR, (_, { fatal, details }) => {
        if (String(details) === 'bufferNudgeOnStall') nudges++;
        if (fatal) reject(new Error(details));
      });
      let stoodAt = [-1, performance.now()];
      setInterval(() => {
        const { currentTime, readyState, duration, buffered } = video;
        if (currentTime !== stoodAt[0]) stoodAt = [currentTime, performance.now()];
        if (performance.now() - stoodAt[1]! < 120_000) return;
        const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
        const of = `${duration} s, buffered to ${end} s, readyState ${readyState}`;
        reject(new Error(`the video stands still at ${currentTime} s of ${of}`));
      }, 1_000);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    return { video, failed, nudges: () => nudges };
  };
}

declare global {
  interface Window {
    Hls: typeof Hls;
    /** Reads the marks of the current picture. */
    readMarks: (video: HTMLVideoElement) => Pick<ShownFrame, 'number' | 'isWhite'>;
    /**
     * `failed` rejects with an error that hls.js cannot recover from; `nudges` is how often it skipped a
     * stall.
     */
    load: (
      url: string,
      config: PlayerConfig,
    ) => { video: HTMLVideoElement; failed: Promise<never>; nudges: () => number };
  }
}
