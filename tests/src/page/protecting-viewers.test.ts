import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { framesShown, goLive, preview, sessionShown, shownFrame } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';
import { greenOutline, greenPlane } from '../support/played-frames.js';
import { sharpness } from '../support/sharpness.js';

const live = stackAndCamera();
let page: Page;

beforeEach(async () => {
  page = await live.browser.newPage({ viewport: { width: 1280, height: 860 } });
  await page.goto(live.stack.url);
});
afterEach(() => page.close());

const text = (testId: string, of = page) => of.getByTestId(testId).innerText();
const isOutlined = async (of = page) =>
  greenOutline(await shownFrame(of, 'processed')) !== undefined;
/** How much there is to recognise in what is shown. */
const sharpnessOf = async (of: Page) => sharpness(greenPlane(await shownFrame(of, 'processed')));
/** What is asked for as somebody who has nothing but the address. */
const statusOf = async (path: string) => (await fetch(live.stack.url + path)).status;

async function viewerOf(publisher: Page): Promise<Page> {
  const viewer = await live.browser.newPage();
  await viewer.goto((await publisher.getByTestId('watch-link').getAttribute('href')) ?? '');
  await framesShown(viewer, 'processed', 10);
  return viewer;
}

test('before going live only the publisher sees what viewers will see', async () => {
  const shown = sessionShown(page);
  await page.getByTestId('effect').selectOption('box');
  await preview(page);
  const previewId = await shown;
  await expect.poll(() => isOutlined()).toBe(true);
  expect(await text('state')).toBe('Preview');
  for (const path of [`/hls/${previewId}/live.m3u8`, `/api/sessions/${previewId}`])
    expect(await statusOf(path)).toBe(403);
  expect(await page.getByTestId('watch-link').getAttribute('href')).toBeNull();

  await page.getByTestId('go-live').click();
  await page.getByTestId('state').getByText(/^Live/).waitFor();
  const viewer = await viewerOf(page);
  await viewer.close();
  // Nothing of the preview is left, and none of it is in what everybody sees.
  expect(await statusOf(`/api/sessions/${previewId}`)).toBe(404);
  const link = await page.getByTestId('watch-link').getAttribute('href');
  expect(link).not.toContain(previewId);
});

test('a preview that is cancelled leaves nothing', async () => {
  const shown = sessionShown(page);
  await preview(page);
  const previewId = await shown;
  await page.getByTestId('stop').click();
  expect(await text('state')).toBe('Idle');
  await expect.poll(() => statusOf(`/api/sessions/${previewId}`)).toBe(404);
});

test('one press of a key shows viewers no more than before: that is asked, and the stream goes on', async () => {
  await goLive(page, undefined, 'pixelate');
  const viewer = await viewerOf(page);
  await page.getByTestId('effect').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.getByTestId('question').waitFor();
  // It is not stopped by the question, and shows nobody meanwhile.
  for (let n = 0; n < 10; n++) {
    await framesShown(viewer, 'processed', 3);
    expect(await isOutlined(viewer)).toBe(false);
  }
  await page.getByTestId('keep').click();
  expect(await page.getByTestId('question').isVisible()).toBe(false);
  expect(await page.getByTestId('effect').inputValue()).toBe('pixelate');

  await page.getByTestId('effect').selectOption('box');
  await page.getByTestId('confirm').click();
  await expect.poll(() => isOutlined(viewer)).toBe(true);
  expect(await page.getByTestId('effect').inputValue()).toBe('box');
  // More protection is not asked about.
  await page.getByTestId('effect').selectOption('black');
  await expect.poll(() => isOutlined(viewer)).toBe(false);
  expect(await page.getByTestId('question').isVisible()).toBe(false);
  await viewer.close();
});

test('Escape twice hides everything from viewers until it is shown again, which is asked', async () => {
  await goLive(page);
  const viewer = await viewerOf(page);
  const before = await sharpnessOf(viewer);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await expect.poll(() => sharpnessOf(viewer)).toBeLessThan(before / 3);
  await expect.poll(() => text('arrival')).toMatch(/recognise nothing/);
  for (let n = 0; n < 20; n++) {
    await framesShown(viewer, 'processed', 3);
    expect(await sharpnessOf(viewer)).toBeLessThan(before / 3);
  }
  await viewer.getByTestId('hidden').waitFor();

  await page.getByTestId('hide').click();
  await page.getByTestId('confirm').click();
  await expect.poll(() => sharpnessOf(viewer)).toBeGreaterThan(before / 2);
  await expect.poll(() => isOutlined(viewer)).toBe(true);
  await viewer.close();
});
