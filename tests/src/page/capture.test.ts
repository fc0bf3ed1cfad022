import { expect, test } from 'vitest';
import { framesShown, goLive, newPage } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';

const live = stackAndCamera();

test('a page whose recording worker cannot be loaded publishes with MediaRecorder', async () => {
  const page = await newPage(live.browser);
  let hasFailed = false;
  await page.route(/frame-recorder-worker/, (route) => {
    hasFailed = true;
    return route.abort();
  });
  await page.goto(live.stack.url);
  await goLive(page, undefined, 'box');
  await framesShown(page, 'processed', 30);
  expect(hasFailed).toBe(true);
  await page.close();
});
