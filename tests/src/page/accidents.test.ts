import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { framesShown, goLive, newPage } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';

const live = stackAndCamera();
let page: Page;
/** The kinds of dialog that the browser opened. */
let asked: string[];

beforeEach(async () => {
  asked = [];
  page = await newPage(live.browser);
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await page.goto(live.stack.url);
});
afterEach(() => page.close());

const link = () => page.getByTestId('watch-link').getAttribute('href');
const isLive = () => page.getByTestId('state').getByText(/^Live/).waitFor();

test('the stream goes on in the same session after a reload, the logo, Back and Forward', async () => {
  const ways = [
    () => page.reload(),
    () => page.locator('.brand').click(),
    () => page.goto('about:blank').then(() => page.goBack()),
  ];
  await goLive(page);
  const before = await link();
  const viewer = await newPage(live.browser);
  await viewer.goto(before ?? '');
  await framesShown(viewer, 'processed', 10);
  for (const leave of ways) {
    await leave();
    await isLive();
    expect(await link()).toBe(before);
    await framesShown(page, 'processed', 30);
    await framesShown(viewer, 'processed', 60);
    expect(await viewer.getByTestId('state').innerText()).toMatch(/^Live/);
  }
  await viewer.close();
});

test('after a crash of its tab the stream goes on, in the same session, once the page is opened again', async () => {
  await goLive(page);
  const before = await link();
  const viewer = await newPage(live.browser);
  await viewer.goto(before ?? '');
  await framesShown(viewer, 'processed', 10);
  const crashed = page.waitForEvent('crash');
  const devTools = await page.context().newCDPSession(page);
  // It never answers: who would is gone.
  devTools.send('Page.crash').catch(() => undefined);
  await crashed;
  // Playwright gives a page up that has crashed; the browser does not.
  await devTools.send('Page.reload');
  const shown = async (expression: string): Promise<unknown> => {
    const { result } = await devTools.send('Runtime.evaluate', { expression });
    return result.value;
  };
  const of = (testId: string) => `document.querySelector('[data-testid="${testId}"]')?`;
  await expect.poll(() => shown(`${of('state')}.innerText`)).toMatch(/^Live/);
  expect(await shown(`${of('watch-link')}.href`)).toBe(before);
  await framesShown(viewer, 'processed', 60);
  expect(await viewer.getByTestId('state').innerText()).toMatch(/^Live/);
  await viewer.close();
});

test('leaving a live page is asked about, and leaving any other is not', async () => {
  await page.reload();
  expect(asked).toEqual([]);
  await goLive(page);
  await page.reload();
  expect(asked).toEqual(['beforeunload']);
  await isLive();
  await page.getByTestId('stop').click();
  await page.getByTestId('state').getByText('Ended').waitFor();
  await page.reload();
  expect(asked).toEqual(['beforeunload']);
  expect(await page.getByTestId('state').innerText()).toBe('Idle');
});

test('a screen that was shared goes on when somebody says so', async () => {
  await page.addInitScript(() => {
    // A headless browser has no screen.
    navigator.mediaDevices.getDisplayMedia = () =>
      navigator.mediaDevices.getUserMedia({ video: true });
  });
  await page.reload();
  await page.getByTestId('source').selectOption('screen');
  await page.getByTestId('start').click();
  await page.getByTestId('go-live').click();
  await isLive();
  const before = await link();
  await page.reload();
  await page.getByTestId('take-up').click();
  await isLive();
  expect(await link()).toBe(before);
});

test('one’s own streams stay known to the browser, and can be deleted', async () => {
  await goLive(page);
  const watch = (await link()) ?? '';
  await page.getByTestId('stop').click();
  await page.getByTestId('state').getByText('Ended').waitFor();
  await page.reload();
  const stream = page.getByTestId('own-stream');
  expect(await stream.getByRole('link').getAttribute('href')).toBe(new URL(watch).pathname);
  await stream.getByRole('button').click();
  await stream.getByRole('button').click();
  await stream.waitFor({ state: 'detached' });
  const api = watch.replace('/watch/', '/api/sessions/');
  expect((await fetch(api)).status).toBe(404);
  await page.reload();
  expect(await stream.count()).toBe(0);
});
