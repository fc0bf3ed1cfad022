import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from '../support/axe.js';
import { framesShown, newPage } from '../support/browser.js';
import { soundingFaceClip } from '../support/clips.js';
import { stackAndCamera } from '../support/fixtures.js';
import { startPush, type Push } from '../support/push.js';

/** If set to a directory, `npm test -- watch-controls` leaves a screenshot of each state there. */
const SHOTS = process.env['SHOTS'];

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 } };

const live = stackAndCamera();
let push: Push;

beforeAll(async () => {
  const clip = join(live.media, 'sounding.webm');
  await soundingFaceClip(clip, 6);
  push = await startPush(live.stack, clip, { loop: true, record: true });
});
afterAll(() => push?.stop());

async function openViewer({ isPushed = true, isTouched = false } = {}): Promise<Page> {
  const viewer = isTouched
    ? await newPage(live.browser, { ...PHONE, hasTouch: true, isMobile: true })
    : await newPage(live.browser, DESKTOP);
  if (!isPushed) await viewer.routeWebSocket(/\/live\//, (socket) => socket.close({ code: 1008 }));
  await viewer.goto(`${live.stack.url}/watch/${push.sessionId}`);
  await framesShown(viewer, 'processed', 10);
  return viewer;
}

const state = (viewer: Page, words: RegExp) =>
  viewer.getByTestId('state').getByText(words).waitFor();

/** A property of the video. */
const video = (viewer: Page, name: 'paused' | 'muted' | 'currentTime') =>
  viewer
    .getByTestId('processed')
    .evaluate((element, wanted) => (element as HTMLVideoElement)[wanted], name);

const isFullScreen = (viewer: Page) => viewer.evaluate(() => document.fullscreenElement !== null);

const opacity = (viewer: Page) =>
  viewer.getByTestId('controls').evaluate((element) => getComputedStyle(element).opacity);

const shoot = async (viewer: Page, name: string) => {
  if (SHOTS) await viewer.screenshot({ path: `${SHOTS}/${name}.png` });
};

test('keys pause and play, switch the sound and fill the screen, but not those of the browser or a button', async () => {
  const viewer = await openViewer();
  const { keyboard } = viewer;
  await keyboard.press('k');
  expect(await video(viewer, 'paused')).toBe(true);
  await keyboard.press('Control+k');
  expect(await video(viewer, 'paused')).toBe(true);
  await keyboard.press('Space');
  expect(await video(viewer, 'paused')).toBe(false);
  expect(await viewer.getByTestId('sound-hint').isVisible()).toBe(true);
  await keyboard.press('m');
  expect(await video(viewer, 'muted')).toBe(false);
  expect(await viewer.getByTestId('sound-hint').isVisible()).toBe(false);
  await viewer.getByTestId('sound').focus();
  await keyboard.press('Space');
  expect(await video(viewer, 'muted')).toBe(true);
  expect(await video(viewer, 'paused')).toBe(false);
  await keyboard.press('f');
  await expect.poll(() => isFullScreen(viewer)).toBe(true);
  await keyboard.press('f');
  await expect.poll(() => isFullScreen(viewer)).toBe(false);
  await viewer.close();
});

test('who has paused, or has sought back where that is possible, comes back to live with one press', async () => {
  const pushed = await openViewer();
  const toLive = (viewer: Page) => viewer.getByTestId('back-to-live');
  await pushed.keyboard.press('ArrowLeft');
  await framesShown(pushed, 'processed', 10);
  expect(await toLive(pushed).isVisible()).toBe(false);
  await pushed.keyboard.press('k');
  await state(pushed, /^Paused$/);
  await toLive(pushed).click();
  await state(pushed, /^Live/);
  expect(await toLive(pushed).isVisible()).toBe(false);
  await pushed.close();

  const hls = await openViewer({ isPushed: false });
  // In the first seconds of a stream there is little to seek in.
  await expect
    .poll(async () => {
      await hls.keyboard.press('ArrowLeft');
      return toLive(hls).isVisible();
    })
    .toBe(true);
  await state(hls, /^Behind live$/);
  await framesShown(hls, 'processed', 60);
  expect(await toLive(hls).isVisible()).toBe(true);
  await toLive(hls).click();
  await state(hls, /^Live/);
  expect(await toLive(hls).isVisible()).toBe(false);
  await hls.close();
});

test('all controls are reached with the keyboard, and are seen then; none has an accessibility violation', async () => {
  const viewer = await openViewer();
  const controls = viewer.getByTestId('controls');
  await expect.poll(() => opacity(viewer)).toBe('0');
  const reached = new Set<string>();
  for (let presses = 0; presses < 15; presses++) {
    await viewer.keyboard.press('Tab');
    const focused = controls.locator(':focus');
    if ((await focused.count()) === 0) continue;
    reached.add((await focused.getAttribute('aria-label')) ?? '');
    await expect.poll(() => opacity(viewer)).toBe('1');
  }
  expect([...reached]).toEqual(
    expect.arrayContaining(['Pause', 'Sound on', 'Volume', 'Keyboard shortcuts', 'Full screen']),
  );
  expect(await violations(viewer)).toEqual([]);
  await viewer.keyboard.press('k');
  await viewer.getByLabel('Keyboard shortcuts').click();
  await shoot(viewer, 'help');
  expect(await violations(viewer)).toEqual([]);
  await viewer.close();
});

test('on a touch screen a tap brings the controls, and presses none before it is seen', async () => {
  const viewer = await openViewer({ isTouched: true });
  await expect.poll(() => opacity(viewer)).toBe('0');
  const box = await viewer.getByTestId('play').boundingBox();
  await viewer.touchscreen.tap(box!.x + box!.width / 2, box!.y + box!.height / 2);
  await expect.poll(() => opacity(viewer)).toBe('1');
  expect(await video(viewer, 'paused')).toBe(false);
  await viewer.getByTestId('play').tap();
  await expect.poll(() => video(viewer, 'paused')).toBe(true);
  expect(await violations(viewer)).toEqual([]);
  await viewer.close();
});

test('after the end the page says when that was, and a recording is moved through with a slider and keys', async () => {
  const viewer = await openViewer();
  await expect.poll(() => viewer.getByTestId('faces').innerText()).toBe('1');
  await push.stop();
  await viewer.getByTestId('state').getByText('Ended').waitFor();
  // Who saw it live gets the recording, too, after the last picture.
  const ended = await viewer.getByTestId('ended').innerText();
  expect(ended).toMatch(/^The stream ended at \d\d:\d\d, after \d+ (second|minute)/);
  const position = () => viewer.getByTestId('scrubber').getAttribute('aria-valuetext');
  await expect.poll(position).toMatch(/^0 seconds of .*\d+ seconds?$/);
  await expect
    .poll(() => viewer.getByTestId('faces-words').innerText())
    .toMatch(/at most 1 at once/);
  await viewer.keyboard.press('9');
  await expect.poll(position).not.toMatch(/^0 seconds/);
  const before = await video(viewer, 'currentTime');
  await viewer.getByTestId('scrubber').focus();
  await viewer.keyboard.press('ArrowLeft');
  const earlier = Math.max(0, Number(before) - 5);
  await expect.poll(() => video(viewer, 'currentTime')).toBeCloseTo(earlier, 3);
  expect(await violations(viewer)).toEqual([]);
  await shoot(viewer, 'recording');
  await viewer.getByTestId('play').click();
  await framesShown(viewer, 'processed', 10);
  expect(await video(viewer, 'muted')).toBe(false);
  await viewer.close();
});
