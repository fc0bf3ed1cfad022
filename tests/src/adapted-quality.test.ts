import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { framesShown, goLive, newPage } from './support/browser.js';
import { faceClip } from './support/clips.js';
import { stackAndCamera } from './support/fixtures.js';
import { SlowLine } from './support/slow-line.js';

const live = stackAndCamera();
let line: SlowLine;
let page: Page;

beforeAll(async () => {
  await faceClip(join(live.media, 'face.webm'), 6);
  line = await SlowLine.to(live.stack.url);
  page = await newPage(live.browser);
});
afterAll(() => line?.close());

const note = () => page.locator('#note').innerText();
const link = () => page.getByTestId('watch-link').getAttribute('href');

test.each([
  ['camera', 'less is sent', undefined],
  ['file', 'it is recorded while it plays, in less', 'face.webm'],
])('of a %s, over a slow connection %s; more again when it is fast', async (_, __, file) => {
  line.bitsPerSecond = Infinity;
  await page.goto(line.url);
  await goLive(page, file && join(live.media, file));
  const before = await link();

  line.bitsPerSecond = 200_000;
  await expect.poll(note).toMatch(/^Sending .* the connection is slow\.$/);
  const reduced = await note();
  await framesShown(page, 'processed', 150);
  expect(await page.getByTestId('state').innerText()).toMatch(/live/i);

  line.bitsPerSecond = Infinity;
  await expect.poll(note).not.toBe(reduced);
  await framesShown(page, 'processed', 30);
  expect(await page.getByTestId('state').innerText()).toMatch(/live/i);
  expect(await link()).toBe(before);
  await page.getByTestId('stop').click();
  await expect.poll(() => page.getByTestId('state').innerText()).toMatch(/ended/i);
});
