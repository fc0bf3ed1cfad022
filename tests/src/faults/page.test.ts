import type { Page } from 'playwright-core';
import { beforeEach, expect, test } from 'vitest';
import { framesShown, goLive } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';
import { processesOf, replaced, signal } from '../support/processes.js';

const live = stackAndCamera();
let page: Page;

beforeEach(async () => {
  page = await live.browser.newPage();
  await page.goto(live.stack.url);
  await goLive(page);
  return () => page.close();
});

const link = () => page.getByTestId('watch-link').getAttribute('href');

test.each(['segmenter', 'gateway'])(
  'the page publishes and plays on, in the same session and without a reload, when the %s is killed',
  async (service) => {
    const before = await link();
    let loads = 0;
    page.on('load', () => loads++);
    const killed = await processesOf(live.stack, `services/${service}`);
    signal(killed, 'SIGKILL');
    await replaced(live.stack, `services/${service}`, killed);
    await framesShown(page, 'processed', 150);
    await expect.poll(() => page.getByTestId('state').innerText()).toMatch(/live/i);
    expect(await link()).toBe(before);
    expect(loads).toBe(0);
  },
);
