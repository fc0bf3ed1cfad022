import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { framesShown, goLive, newPage } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';
import { processesOf, signal } from '../support/processes.js';

/** `npm test -- honest` with this set to a directory leaves pictures of what viewers are told there. */
const SHOTS = process.env['SHOTS'];
const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

const live = stackAndCamera();
let page: Page;
let viewer: Page;

beforeEach(async () => {
  page = await newPage(live.browser);
  await page.goto(live.stack.url);
  await goLive(page, undefined, 'blur');
  viewer = await newPage(live.browser, { viewport: SIZES.desktop });
  await viewer.goto((await page.getByTestId('watch-link').getAttribute('href')) ?? '');
  await framesShown(viewer, 'processed', 30);
});
afterEach(async () => {
  await viewer.close();
  await page.close();
});

const text = (testId: string, of: Page) => of.getByTestId(testId).innerText();

async function shoot(name: string): Promise<void> {
  if (!SHOTS) return;
  for (const [device, size] of Object.entries(SIZES)) {
    await viewer.setViewportSize(size);
    await viewer.screenshot({ path: `${SHOTS}/${device}-${name}.png` });
  }
}

/** Resolves when `work` is done; the processes are stopped meanwhile. */
async function whileStopped(service: string, work: () => Promise<void>): Promise<void> {
  const processes = await processesOf(live.stack, service);
  signal(processes, 'SIGSTOP');
  try {
    await work();
  } finally {
    signal(processes, 'SIGCONT');
  }
}

test('both pages say that whole pictures are hidden for want of a search, and count no faces then', async () => {
  await whileStopped('services/face-detector', async () => {
    for (const each of [page, viewer]) {
      await expect.poll(() => text('caution', each)).toMatch(/whole pictures are hidden/);
      await expect.poll(() => text('faces', each)).toBe('-');
    }
    await shoot('hidden');
  });
});

test('a stream that stands still is called late, not live; its publisher is told that it is the server', async () => {
  await whileStopped('services/frame-extractor', async () => {
    for (const each of [page, viewer]) {
      await expect.poll(() => text('state', each)).toMatch(/^Live, \d+ s late$/);
      await expect.poll(() => text('faces', each)).toBe('-');
    }
    await expect.poll(() => text('delay', viewer)).toMatch(/^Nothing new comes/);
    await expect.poll(() => text('waiting', viewer)).toBe('Waiting for the picture');
    await expect.poll(() => page.locator('#note').innerText()).toBe('The server is too busy.');
    await shoot('late');
  });
  // How soon it is in time again is the machine's affair.
  await expect.poll(() => text('delay', viewer)).not.toMatch(/^Nothing new comes/);
});

test('a viewer who pauses is not told that it is live', async () => {
  await viewer.getByRole('button', { name: 'Pause' }).click();
  await viewer.getByTestId('state').getByText('Paused').waitFor();
  await viewer.getByRole('button', { name: 'Play' }).click();
  await viewer.getByTestId('state').getByText(/^Live/).waitFor();
});
