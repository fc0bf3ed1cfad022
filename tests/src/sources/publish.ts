import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { TestPublisher } from '../support/test-publisher.js';
import { startPush } from '../support/push.js';
import type { Stack } from '../support/stack.js';

/** Publishes a file's bytes to their end, as fast as they are acknowledged; resolves to the session's id. */
export async function ingest(stack: Stack, path: string, mimeType: string): Promise<string> {
  const publisher = await TestPublisher.start(stack.ingestUrl, { mimeType, effect: 'none' });
  await publisher.sendMedia(await readFile(path));
  await publisher.stop();
  return publisher.sessionId;
}

/** Publishes a file to its end with `npm run push`; resolves to the session's id. */
export async function push(stack: Stack, path: string): Promise<string> {
  const { sessionId, ended } = await startPush(stack, path, { effect: 'none' });
  const code = await ended;
  if (code !== 0) throw new Error(`npm run push ended with ${code}`);
  return sessionId;
}

/** Publishes a file with its audio to its end on the page; resolves to the session's id. */
export async function publishOnPage(stack: Stack, page: Page, path: string): Promise<string> {
  await page.goto(stack.url);
  await page.getByTestId('source').selectOption('file');
  await page.getByTestId('file').setInputFiles(path);
  await page.getByTestId('loop').uncheck();
  await page.getByTestId('sound').check();
  await page.getByTestId('effect').selectOption('none');
  await page.getByTestId('start').click();
  const goLive = page.getByTestId('go-live');
  await goLive.or(page.getByTestId('problem')).filter({ visible: true }).waitFor();
  if (await goLive.isVisible()) await goLive.click();
  await page.waitForFunction(OVER);
  const problem = page.getByTestId('problem');
  if (await problem.isVisible()) throw new Error(await problem.innerText());
  const link = await page.getByTestId('watch-link').getAttribute('href');
  return link?.split('/').at(-1) ?? '';
}

/** Runs in the page. */
const OVER = () => {
  const text = (testId: string) =>
    document.querySelector<HTMLElement>(`[data-testid="${testId}"]`)?.innerText ?? '';
  return /ended/i.test(text('state')) || text('problem') !== '';
};
