import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  chromium,
  type Browser,
  type BrowserContextOptions,
  type Page,
  type WebSocket,
} from 'playwright-core';
import { expect } from 'vitest';
import type { Place } from './clips.js';
import { greenOutline, greenPlane, type PlayedFrame } from './played-frames.js';
import { sharpness } from './sharpness.js';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Arguments for a Chromium whose camera shows the pictures of an MJPEG file. */
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

/** Limit for an operation that hangs, in milliseconds: a busy machine may be many times as slow. */
const timeout = 240_000;

/** Starts Debian's Chromium, headless, whose camera shows the pictures of an MJPEG file. */
export async function launchChromium(camera: string): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: argumentsFor(camera), timeout });
}

/** A page in a profile of its own, with timeouts for a slow machine. */
export async function newPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Page> {
  return patient(await browser.newPage(options));
}

function patient(page: Page): Page {
  page.setDefaultTimeout(timeout);
  return page;
}

/** A browser with a window of tabs, of which only the newest is visible. */
export interface Tabs {
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

/** Starts Chromium as people have it: a covered page's timers are slowed down. */
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
  // By default Playwright makes every page believe that it is visible.
  const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true, timeout });
  return {
    async open(url) {
      const page = patient(await browser.contexts()[0]!.newPage());
      await page.goto(url);
      await page.bringToFront();
      return page;
    },
    async close() {
      await browser.close();
      chromiumProcess.kill();
      await exited;
      // Chromium's helper processes outlive it by a moment, and write files.
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** Starts the preview of the camera or a file on the page; resolves when it is shown. */
export async function preview(page: Page, file?: string): Promise<void> {
  await page.getByTestId('source').selectOption(file === undefined ? 'camera' : 'file');
  if (file !== undefined) await page.getByTestId('file').setInputFiles(file);
  const goLive = page.getByTestId('go-live');
  await expect
    .poll(async () => {
      // A busy machine refuses; people try again.
      const start = page.getByTestId('start');
      if ((await start.isVisible()) && (await start.isEnabled())) await start.click();
      return goLive.isVisible();
    })
    .toBe(true);
  await framesShown(page, 'processed', 3);
}

/** Where a page's player gets a stream from. */
const PUSHED = /\/live\/([^/?~]+)/;

/** The id of the session that the page plays next. */
export async function sessionShown(page: Page): Promise<string> {
  const isPushed = (socket: WebSocket) => PUSHED.test(socket.url());
  const socket = await page.waitForEvent('websocket', isPushed);
  return PUSHED.exec(socket.url())?.[1] ?? '';
}

/** Publishes the camera or a file on the page; resolves when the processed stream is shown. */
export async function goLive(page: Page, file?: string, effect = 'box'): Promise<void> {
  await page.getByTestId('effect').selectOption(effect);
  await preview(page, file);
  await page.getByTestId('go-live').click();
  await page.getByTestId('state').getByText(/^Live/).waitFor();
  await framesShown(page, 'processed', 30);
}

/** The outline in the current picture of a `<video>` of the page; undefined if there is none. */
export async function shownOutline(page: Page, testId: string): Promise<Place | undefined> {
  return measureShown(page, testId, greenOutline.toString());
}

/** How much there is to recognise in the current picture of a `<video>` of the page. */
export async function shownSharpness(page: Page, testId: string): Promise<number> {
  const plane = `(${greenPlane.toString()})(frame)`;
  const whole = `{ x: 0, y: 0, width: frame.width, height: frame.height }`;
  const measured = `(${sharpness.toString()})(${plane}, ${whole}, frame.width)`;
  return measureShown(page, testId, `(frame) => ${measured}`);
}

/**
 * Measures the picture in the page, because it is too large to be sent.
 * @param measure text of a function of a `PlayedFrame` that uses only its arguments
 */
async function measureShown<Result>(page: Page, testId: string, measure: string): Promise<Result> {
  const frame = `(${readShown.toString()})(${JSON.stringify(testId)})`;
  return page.evaluate(`(${measure})(${frame})`);
}

/** Runs in the page. */
function readShown(testId: string): PlayedFrame {
  const video = document.querySelector<HTMLVideoElement>(`[data-testid="${testId}"]`);
  const { videoWidth: width = 0, videoHeight: height = 0 } = video ?? {};
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!video || !context) throw new Error(`no picture of ${testId}`);
  context.drawImage(video, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let channel = 0; channel < 3; channel++)
      rgb[3 * pixel + channel] = data[4 * pixel + channel] ?? 0;
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
