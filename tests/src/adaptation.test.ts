import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { framesShown, launchChromium } from './support/browser.js';
import { faceCamera } from './support/clips.js';
import { SlowLine } from './support/slow-line.js';
import { startStack, type Stack } from './support/stack.js';

let stack: Stack;
let line: SlowLine;
let media: string;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  media = await mkdtemp(join(tmpdir(), 'facecast-camera-'));
  const camera = join(media, 'face.mjpeg');
  await faceCamera(camera, 6);
  stack = await startStack();
  line = await SlowLine.to(stack.url);
  browser = await launchChromium(camera);
  page = await browser.newPage();
});

afterAll(async () => {
  await browser?.close();
  line?.close();
  await stack?.stop();
  await rm(media, { recursive: true, force: true });
});

const note = () => page.locator('#note').innerText();
const link = () => page.getByTestId('watch-link').getAttribute('href');

test('over a slow connection less is sent, and the picture goes on; more again when it is fast', async () => {
  await page.goto(line.url);
  await page.getByTestId('start').click();
  await framesShown(page, 'processed', 30);
  const before = await link();

  line.bitsPerSecond = 200_000;
  await expect.poll(note, { timeout: 30_000 }).toMatch(/^Sending .* the connection is slow\.$/);
  const reduced = await note();
  await framesShown(page, 'processed', 150);
  expect(await page.getByTestId('state').innerText()).toMatch(/live/i);

  line.bitsPerSecond = Infinity;
  await expect.poll(note, { timeout: 40_000 }).not.toBe(reduced);
  await framesShown(page, 'processed', 30);
  expect(await page.getByTestId('state').innerText()).toMatch(/live/i);
  expect(await link()).toBe(before);
  await page.getByTestId('stop').click();
  await expect.poll(() => page.getByTestId('state').innerText()).toMatch(/ended/i);
});
