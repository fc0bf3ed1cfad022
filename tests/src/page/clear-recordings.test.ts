import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { violations } from '../support/axe.js';
import { framesShown, goLive } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';

const live = stackAndCamera();

/** Presses Tab until this one has the focus, then Enter. */
async function pressByKeyboard(page: Page, testId: string): Promise<void> {
  const focused = () =>
    page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? '');
  for (let presses = 0; presses < 40 && (await focused()) !== testId; presses++)
    await page.keyboard.press('Tab');
  expect(await focused()).toBe(testId);
  await page.keyboard.press('Enter');
}

/** Publishes with a recording, in `box`; what is done before the end comes from the caller. */
async function record(page: Page, meanwhile: () => Promise<void>): Promise<void> {
  await page.goto(live.stack.url);
  await page.getByTestId('record').check();
  await goLive(page, undefined, 'box');
  await meanwhile();
  await page.getByTestId('stop').click();
  await page.getByTestId('state').getByText('Ended').waitFor();
  await page.getByTestId('clear-part').waitFor();
}

test('whoever recorded faces can hide them afterwards, with the keyboard alone', async () => {
  const page = await live.browser.newPage();
  await record(page, () => framesShown(page, 'processed', 60));
  const note = page.getByTestId('clear-part').getByRole('status');
  expect(await note.innerText()).toBe('Faces are not hidden in it.');
  expect(await page.getByTestId('cut-clear-part').isVisible()).toBe(false);
  expect(await violations(page)).toEqual([]);
  await pressByKeyboard(page, 'hide-clear-part');
  await expect.poll(() => note.innerText()).toMatch(/nobody can watch it/);
  expect(await violations(page)).toEqual([]);
  await expect.poll(() => note.innerText()).toBe('Faces are hidden in all of it.');
  expect(await violations(page)).toEqual([]);
  await page.close();
});

test('whoever began too early can cut the beginning off, later, from Your streams', async () => {
  const page = await live.browser.newPage();
  await record(page, async () => {
    await framesShown(page, 'processed', 30);
    await page.getByTestId('effect').selectOption('black');
    await expect.poll(() => page.getByTestId('arrival').innerText()).not.toBe('');
    // Two seconds more, so that a whole segment is hidden.
    await framesShown(page, 'processed', 120);
  });
  await page.reload();
  const stream = page.getByTestId('own-stream').first();
  const note = stream.getByTestId('clear-part').getByRole('status');
  await expect.poll(() => note.innerText()).toMatch(/^In the first \d+ s, faces are not hidden\.$/);
  expect(await violations(page)).toEqual([]);
  const cut = stream.getByTestId('cut-clear-part');
  await cut.click();
  expect(await cut.innerText()).toBe('Cut off for good');
  await cut.click();
  await expect.poll(() => note.innerText()).toBe('Faces are hidden in all of it.');
  await page.close();
});
