import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { framesShown, goLive } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';

const live = stackAndCamera();
let page: Page;
/** What the browser asked before the page was left, and whether it was left. */
let asked: string[];

beforeEach(async () => {
  asked = [];
  page = await live.browser.newPage();
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await page.goto(live.stack.url);
});
afterEach(() => page.close());

const link = () => page.getByTestId('watch-link').getAttribute('href');
const isLive = () => page.getByTestId('state').getByText(/^Live/).waitFor();

test.each([
  ['a reload', () => page.reload()],
  ['the logo', () => page.locator('.brand').click()],
  ['Back and Forward', () => page.goto('about:blank').then(() => page.goBack())],
])('after %s the stream goes on where it was, in the same session', async (_, leave) => {
  await goLive(page);
  const before = await link();
  const viewer = await live.browser.newPage();
  await viewer.goto(before ?? '');
  await framesShown(viewer, 'processed', 10);
  await leave();
  await isLive();
  expect(await link()).toBe(before);
  await framesShown(page, 'processed', 30);
  await framesShown(viewer, 'processed', 60);
  expect(await viewer.getByTestId('state').innerText()).toMatch(/^Live/);
  await viewer.close();
});

test('whoever is about to leave a live page is asked, and nobody else', async () => {
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
