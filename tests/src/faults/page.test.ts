import { expect, test } from 'vitest';
import { framesShown, goLive, newPage } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';
import { processesOf, replaced, signal } from '../support/processes.js';

const live = stackAndCamera();

test('the page goes on publishing and playing, without a reload, when the segmenter or the gateway is killed', async () => {
  const page = await newPage(live.browser);
  await page.goto(live.stack.url);
  await goLive(page);
  const link = () => page.getByTestId('watch-link').getAttribute('href');
  const before = await link();
  let loads = 0;
  page.on('load', () => loads++);
  for (const service of ['services/segmenter', 'services/gateway']) {
    const killed = await processesOf(live.stack, service);
    signal(killed, 'SIGKILL');
    await replaced(live.stack, service, killed);
    await framesShown(page, 'processed', 150);
    await expect.poll(() => page.getByTestId('state').innerText()).toMatch(/live/i);
    expect(await link()).toBe(before);
    expect(loads).toBe(0);
  }
  await page.close();
});
