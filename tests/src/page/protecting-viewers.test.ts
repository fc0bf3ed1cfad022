import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  framesShown,
  goLive,
  newPage,
  preview,
  sessionShown,
  shownOutline,
  shownSharpness,
} from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';

const live = stackAndCamera();
let page: Page;

beforeEach(async () => {
  page = await newPage(live.browser, { viewport: { width: 1280, height: 860 } });
  await page.goto(live.stack.url);
});
afterEach(() => page.close());

const text = (testId: string, of = page) => of.getByTestId(testId).innerText();
const isOutlined = async (of = page) => (await shownOutline(of, 'processed')) !== undefined;
/** How much there is to recognise in the shown picture. */
const sharpnessOf = (of: Page) => shownSharpness(of, 'processed');
/** Status of a request by somebody who has only the address. */
const statusOf = async (path: string) => (await fetch(live.stack.url + path)).status;

async function viewerOf(publisher: Page): Promise<Page> {
  const viewer = await newPage(live.browser);
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
  // Nothing of the preview is left, and none of it is in the public stream.
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

test('a single key press never shows viewers more: the page asks first, and the stream goes on', async () => {
  await goLive(page, undefined, 'pixelate');
  const viewer = await viewerOf(page);
  await page.getByTestId('effect').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.getByTestId('question').waitFor();
  // The question does not stop the stream, which shows no face meanwhile.
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
  // A stronger effect needs no confirmation.
  await page.getByTestId('effect').selectOption('black');
  await expect.poll(() => isOutlined(viewer)).toBe(false);
  expect(await page.getByTestId('question').isVisible()).toBe(false);
  await viewer.close();
});

test('Escape twice hides everything from viewers; showing it again must be confirmed', async () => {
  await goLive(page);
  const viewer = await viewerOf(page);
  const before = await sharpnessOf(viewer);
  // Without a wait in between: on a slow machine, the second press would come too late.
  const { keyboard } = page;
  await Promise.all(
    (['down', 'up', 'down', 'up'] as const).map((move) => keyboard[move]('Escape')),
  );
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

test('a stream by invitation is seen only with its link, and an old link ends when it is replaced', async () => {
  await page.getByTestId('audience').selectOption('private');
  await goLive(page);
  const href = () => page.getByTestId('watch-link').getAttribute('href');
  await expect.poll(href).toMatch(/\?link=/);
  const viewer = await viewerOf(page);
  const first = (await href()) ?? '';
  const { pathname } = new URL(first);
  const playlist = `${pathname.replace('/watch/', '/hls/')}/live.m3u8`;
  const statusFor = async (somebody: Page) =>
    somebody.evaluate(async (path) => (await fetch(path)).status, playlist);
  expect(await statusFor(viewer)).toBe(200);
  for (const path of [pathname, playlist]) expect(await statusOf(path)).toBe(403);

  await page.getByTestId('replace-link').click();
  await expect.poll(href).not.toBe(first);
  await expect.poll(() => statusFor(viewer)).toBe(403);
  expect((await fetch(first)).status).toBe(403);
  await viewer.close();
  // Viewers see it with the new link, and the publisher sees it all the time.
  const other = await viewerOf(page);
  await other.close();
  await framesShown(page, 'processed', 10);
});
