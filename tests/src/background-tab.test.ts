import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { framesShown, goLive } from './support/browser.js';
import { faceClip } from './support/clips.js';
import { stackAndTabs } from './support/fixtures.js';

const live = stackAndTabs();

/** Number of pictures among the next `count` that differ from the one before. */
async function changesIn(count: number, of: Page): Promise<number> {
  return of.getByTestId('processed').evaluate((element, wanted) => {
    const video = element as HTMLVideoElement;
    const context = new OffscreenCanvas(64, 48).getContext('2d', { willReadFrequently: true });
    let [left, changes, before] = [wanted, 0, ''];
    return new Promise<number>((resolve) => {
      const look = () => {
        context?.drawImage(video, 0, 0, 64, 48);
        const picture = String(context?.getImageData(0, 0, 64, 48).data.join());
        if (picture !== before) changes++;
        before = picture;
        if (--left <= 0) resolve(changes);
        else video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
    });
  }, count);
}

beforeAll(() => faceClip(join(live.media, 'face.webm'), 6));

test.each([
  ['camera', undefined],
  ['file', 'face.webm'],
])('a %s goes on as it was while another tab covers the page', async (_, file) => {
  const page = await live.tabs.open(live.stack.url);
  await goLive(page, file && join(live.media, file));
  const link = await page.getByTestId('watch-link').getAttribute('href');
  const before = await changesIn(90, page);

  const viewer = await live.tabs.open(new URL(link ?? '').href);
  await framesShown(viewer, 'processed', 60);
  expect(await page.evaluate(() => document.visibilityState)).toBe('hidden');
  // More than the one change a second that the timers of a covered page are allowed.
  expect(await changesIn(90, viewer)).toBeGreaterThan(before / 3);
  await viewer.close();
  await page.close();
});
