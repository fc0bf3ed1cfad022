import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Browser, type Page } from 'playwright-core';
import { expect } from 'vitest';
import type { PlayedFrame } from './played-frames.js';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** For a Chromium whose camera shows the pictures of an MJPEG file. */
const argumentsFor = (camera: string) => [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-video-capture=${camera}`,
];

/** Debian's Chromium, headless, whose camera shows the pictures of an MJPEG file. */
export async function launchChromium(camera: string): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: argumentsFor(camera) });
}

/** A browser with a window of tabs, of which only the one opened last is visible. */
export interface Tabs {
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

/** The same, but as people have it: what covers a page slows its timers down. */
export async function launchTabs(camera: string): Promise<Tabs> {
  const profile = await mkdtemp(join(tmpdir(), 'facecast-chromium-'));
  const own = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
  const chromiumProcess = spawn(EXECUTABLE, [...argumentsFor(camera), ...own, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(chromiumProcess, 'exit');
  const endpoint = await new Promise<string>((resolve) => {
    createInterface({ input: chromiumProcess.stderr }).on('line', (line) => {
      const [, address] = /^DevTools listening on (ws:.*)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
  // By default every page believes that it is in front.
  const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true });
  return {
    async open(url) {
      const page = await browser.contexts()[0]!.newPage();
      await page.goto(url);
      await page.bringToFront();
      return page;
    },
    async close() {
      await browser.close();
      chromiumProcess.kill();
      await exited;
      // Its helpers outlive it by a moment, and write.
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** Shows on the page, the camera or a file, what viewers would see; resolves when that is to be seen. */
export async function preview(page: Page, file?: string): Promise<void> {
  await page.getByTestId('source').selectOption(file === undefined ? 'camera' : 'file');
  if (file !== undefined) await page.getByTestId('file').setInputFiles(file);
  const goLive = page.getByTestId('go-live');
  await expect
    .poll(async () => {
      // A machine that is too busy refuses; people try again.
      const start = page.getByTestId('start');
      if ((await start.isVisible()) && (await start.isEnabled())) await start.click();
      return goLive.isVisible();
    })
    .toBe(true);
  await framesShown(page, 'processed', 3);
}

/** The id of the session whose playlist the page asks for next. */
export async function sessionShown(page: Page): Promise<string> {
  const request = await page.waitForRequest(/\/hls\/[^/]+\/live\.m3u8/);
  return /\/hls\/([^/]+)\//.exec(request.url())?.[1] ?? '';
}

/** Publishes on the page, the camera or a file, and resolves when it is seen to come back. */
export async function goLive(page: Page, file?: string, effect = 'box'): Promise<void> {
  await page.getByTestId('effect').selectOption(effect);
  await preview(page, file);
  await page.getByTestId('go-live').click();
  await page.getByTestId('state').getByText(/^Live/).waitFor();
  await framesShown(page, 'processed', 30);
}

/** The picture that a `<video>` of the page shows at the moment. */
export async function shownFrame(page: Page, testId: string): Promise<PlayedFrame> {
  const { width, height, rgba } = await page.getByTestId(testId).evaluate((element) => {
    const video = element as HTMLVideoElement;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.drawImage(video, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let binary = '';
    for (let i = 0; i < data.length; i += 8192)
      binary += String.fromCharCode(...data.subarray(i, i + 8192));
    return { width: canvas.width, height: canvas.height, rgba: btoa(binary) };
  });
  const pixels = Buffer.from(rgba, 'base64');
  const rgb = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.copy(rgb, 3 * i, 4 * i, 4 * i + 3);
  return { rgb, width, height };
}

/** Resolves when the `<video>` has shown `count` more frames. */
export async function framesShown(page: Page, testId: string, count: number): Promise<void> {
  await page.getByTestId(testId).evaluate(
    (element, wanted) =>
      new Promise<void>((resolve) => {
        const video = element as HTMLVideoElement;
        let left = wanted;
        const next = () => (--left <= 0 ? resolve() : video.requestVideoFrameCallback(next));
        video.requestVideoFrameCallback(next);
      }),
    count,
  );
}
