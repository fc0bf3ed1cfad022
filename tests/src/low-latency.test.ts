import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from './support/browser.js';
import * as clips from './support/clips.js';
import { greenPlane, playFrames } from './support/playback.js';
import { HttpClient, nextPart, readPlaylist } from './support/player.js';
import { startPush } from './support/push.js';
import { startStack, type Stack } from './support/stack.js';

const FRAMES = 180;
const SIZE = { width: clips.WIDTH, height: clips.HEIGHT };
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

let stack: Stack;
let media: string;
let clip: string;

beforeAll(async () => {
  media = await mkdtemp(join(tmpdir(), 'facecast-clips-'));
  clip = join(media, 'counted.webm');
  await clips.countedClip(clip, FRAMES);
  stack = await startStack();
});
afterAll(async () => {
  await stack?.stop();
  await rm(media, { recursive: true, force: true });
});

const playlistOf = (sessionId: string) => `${stack.url}/hls/${sessionId}/live.m3u8`;

describe('a live playlist, asked 50,000 times', () => {
  const REQUESTS = 50_000;
  const CLIENTS = 24;

  test('is always whole, and all that it lists can be fetched', { timeout: 600_000 }, async () => {
    const push = await startPush(stack, clip, { loop: true });
    const folder = playlistOf(push.sessionId).replace('live.m3u8', '');
    const failures: string[] = [];
    let requests = 0;

    const client = async (number: number) => {
      const http = new HttpClient();
      const fetched = async (name: string) => {
        requests++;
        const { status } = await http.get(folder + name);
        if (status !== 200) failures.push(`${name}: ${status}`);
      };
      let query = '';
      for (let round = number; requests < REQUESTS; round++) {
        requests++;
        const playlist = readPlaylist(await http.get(`${folder}live.m3u8${query}`));
        const { msn, part } = nextPart(playlist);
        query = ['', `?_HLS_msn=${msn}&_HLS_part=${part}`, '?_HLS_skip=YES'][round % 3] ?? '';
        const listed = playlist.segments.flatMap((segment) => [
          ...(segment.uri ? [segment.uri] : []),
          ...segment.parts.map(({ uri }) => uri),
        ]);
        // The oldest goes first, the newest is hinted at and not there yet.
        for (const name of [listed[0], listed[(round * 7) % listed.length], listed.at(-1)])
          if (name !== undefined) await fetched(name);
      }
      http.close();
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
    await push.stop();
    expect(failures).toEqual([]);
  });
});

describe('ffmpeg', () => {
  test('plays every frame, once, in order, from the first on while it is live', async () => {
    const push = await startPush(stack, clip);
    const numbers: number[] = [];
    for await (const frame of playFrames(playlistOf(push.sessionId), SIZE, [
      '-live_start_index',
      '0',
    ]))
      numbers.push(readFrameCounter(greenPlane(frame), SIZE.width));
    expect(numbers).toEqual(upTo(FRAMES));
    expect(await push.ended).toBe(0);
  });
});

describe.each([
  ['low latency on', true],
  ['low latency off', false],
])('hls.js with %s', (_, lowLatencyMode) => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium('/dev/null');
    page = await browser.newPage();
    await page.goto(`${stack.url}/healthz`);
    await page.addScriptTag({
      path: createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'),
    });
  });
  afterAll(() => browser?.close());

  test('plays a live stream in order, and every frame of it after its end', async () => {
    const push = await startPush(stack, clip);
    const live = await play(page, playlistOf(push.sessionId), lowLatencyMode);
    expect(live.length).toBeGreaterThan(FRAMES / 4);
    expect(live).toEqual([...new Set(live)].sort((a, b) => a - b));
    expect(await push.ended).toBe(0);
    expect(await stepThrough(page, FRAMES)).toEqual(upTo(FRAMES));
  });
});

/** Plays until the stream ends; resolves to the numbers of the frames that were shown, as they came. */
async function play(page: Page, url: string, lowLatencyMode: boolean): Promise<number[]> {
  const shown = await page.evaluate(
    async ({ url, lowLatencyMode }) => {
      const video = document.createElement('video');
      video.muted = true;
      document.body.append(video);
      const hls = new Hls({ lowLatencyMode });
      hls.loadSource(url);
      hls.attachMedia(video);
      const shown: number[][] = [];
      const canvas = new OffscreenCanvas(640, 40);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('no canvas');
      /** The brightness in the middle of each of the counter's squares. */
      const squares = () => {
        context.drawImage(video, 0, 0, 640, 40, 0, 0, 640, 40);
        const { data } = context.getImageData(0, 20, 640, 1);
        return Array.from({ length: 16 }, (_, bit) => data[4 * (40 * bit + 20)] ?? 0);
      };
      Object.assign(window, { squares, video });
      const next = () => {
        shown.push(squares());
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
      await new Promise((resolve, reject) => {
        video.addEventListener('ended', resolve, { once: true });
        hls.on('hlsError', (_: unknown, { fatal, details }) => {
          if (fatal) reject(new Error(details));
        });
        void video.play();
      });
      return shown;
    },
    { url, lowLatencyMode },
  );
  return shown.map(numberOf);
}

/** Seeks to the middle of each frame in turn; resolves to the numbers that are shown there. */
async function stepThrough(page: Page, frames: number): Promise<number[]> {
  const shown = await page.evaluate(async (frames) => {
    const { squares, video } = window as unknown as {
      squares: () => number[];
      video: HTMLVideoElement;
    };
    const shown: number[][] = [];
    const start = video.seekable.start(0);
    for (let frame = 0; frame < frames; frame++) {
      const seeked = new Promise((resolve) =>
        video.addEventListener('seeked', resolve, { once: true }),
      );
      video.currentTime = start + (frame + 0.5) / 30;
      await seeked;
      shown.push(squares());
    }
    return shown;
  }, frames);
  return shown.map(numberOf);
}

const numberOf = (squares: number[]) =>
  squares.reduce((number, brightness) => 2 * number + (brightness > 125 ? 1 : 0), 0);

/** hls.js, as its script puts it into the page. */
declare const Hls: new (config: { lowLatencyMode: boolean }) => {
  loadSource(url: string): void;
  attachMedia(video: HTMLVideoElement): void;
  on(
    event: string,
    listener: (event: string, data: { fatal: boolean; details: string }) => void,
  ): void;
};
