import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { framesShown } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';

/** `npm test -- accessibility` with this set to a directory leaves a picture of each state there. */
const SHOTS = process.env['SHOTS'];
const SIZES = [
  ['desktop', { width: 1280, height: 800 }],
  ['phone', { width: 390, height: 844 }],
] as const;

const live = stackAndCamera();
let axe: string;

beforeAll(async () => {
  const path = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  axe = await readFile(path, 'utf8');
});

/** What is wrong with the page as it is now, for whoever cannot see or point: rule and element. */
async function violations(page: Page): Promise<string[]> {
  // As text: the page's own policy allows no script of somebody else's.
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
  );
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

test.each(SIZES)(
  'every state of publishing can be used by everybody, %s',
  async (name, viewport) => {
    const page = await live.browser.newPage({ viewport });
    await page.goto(live.stack.url);
    let shot = 0;
    const look = async (state: string) => {
      if (SHOTS)
        await page.screenshot({ path: `${SHOTS}/${name}-${shot++}-${state}.png`, fullPage: true });
      expect.soft(await violations(page), state).toEqual([]);
    };
    const state = (words: RegExp) => page.getByTestId('state').getByText(words).waitFor();
    await look('idle');
    await page.getByTestId('start').click();
    await page.getByTestId('go-live').waitFor();
    await framesShown(page, 'processed', 30);
    await look('preview');
    await page.getByTestId('go-live').click();
    await look('going live');
    await state(/^Live/);
    await framesShown(page, 'processed', 60);
    await look('live');
    await page.getByTestId('effect').selectOption('none');
    await look('asked to show more');
    await page.getByTestId('keep').click();
    await page.getByTestId('hide').click();
    await expect.poll(() => page.getByTestId('arrival').innerText()).toMatch(/recognise nothing/);
    await look('hidden');
    const link = await page.getByTestId('watch-link').getAttribute('href');
    const viewer = await live.browser.newPage({ viewport });
    await viewer.goto(link ?? '');
    await framesShown(viewer, 'processed', 30);
    if (SHOTS) await viewer.screenshot({ path: `${SHOTS}/${name}-viewer-hidden.png` });
    expect.soft(await violations(viewer), 'watching').toEqual([]);
    await viewer.close();
    await page.getByTestId('hide').click();
    await page.getByTestId('confirm').click();
    await page.getByTestId('stop').click();
    await state(/^Ended/);
    await look('ended');
    await page.getByTestId('source').selectOption('file');
    await page.getByTestId('start').click();
    await page.getByTestId('problem').waitFor();
    await look('failed');
    await page.close();
  },
);

test('all of publishing can be done with a keyboard', async () => {
  const page = await live.browser.newPage();
  await page.goto(live.stack.url);
  /** Goes on from control to control until this one has the focus. */
  const reach = async (testId: string) => {
    for (let presses = 0; presses < 40; presses++) {
      const focused = await page.evaluate(() =>
        document.activeElement?.getAttribute('data-testid'),
      );
      if (focused === testId) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`${testId} cannot be reached`);
  };
  const state = (words: RegExp) => page.getByTestId('state').getByText(words).waitFor();
  await reach('start');
  await page.keyboard.press('Enter');
  await page.getByTestId('go-live').waitFor();
  await reach('go-live');
  await page.keyboard.press('Enter');
  await state(/^Live/);
  await reach('effect');
  await page.keyboard.press('ArrowDown');
  // What changes nothing has the focus.
  await page.getByTestId('question').waitFor();
  await page.keyboard.press('Enter');
  expect(await page.getByTestId('effect').inputValue()).toBe('pixelate');
  await reach('hide');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByTestId('arrival').innerText()).toMatch(/recognise nothing/);
  await reach('stop');
  await page.keyboard.press('Enter');
  await state(/^Ended/);
  await page.close();
});
