import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { framesShown, launchChromium } from '../support/browser.js';
import { faceCamera } from '../support/clips.js';
import { processesOf, replaced, signal } from '../support/processes.js';
import { startStack, type Stack } from '../support/stack.js';

let stack: Stack;
let media: string;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  media = await mkdtemp(join(tmpdir(), 'facecast-camera-'));
  const camera = join(media, 'face.mjpeg');
  await faceCamera(camera, 6);
  stack = await startStack();
  browser = await launchChromium(camera);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  await rm(media, { recursive: true, force: true });
});

beforeEach(async () => {
  page = await browser.newPage();
  await page.goto(stack.url);
  await page.getByTestId('start').click();
  await framesShown(page, 'processed', 30);
  return () => page.close();
});

const link = () => page.getByTestId('watch-link').getAttribute('href');

test.each(['segmenter', 'gateway'])(
  'the page publishes and plays on, in the same session and without a reload, when the %s is killed',
  async (service) => {
    const before = await link();
    let loads = 0;
    page.on('load', () => loads++);
    const killed = await processesOf(stack, `services/${service}`);
    signal(killed, 'SIGKILL');
    await replaced(stack, `services/${service}`, killed);
    await framesShown(page, 'processed', 150);
    await expect.poll(() => page.getByTestId('state').innerText()).toMatch(/live/i);
    expect(await link()).toBe(before);
    expect(loads).toBe(0);
  },
);
