import { expect, test } from 'vitest';
import { violations } from '../support/axe.js';
import { framesShown, newPage } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';

/** If set to a directory, `npm test -- accessibility` leaves a screenshot of each state there. */
const SHOTS = process.env['SHOTS'];
const SIZES = [
  ['desktop', { width: 1280, height: 800 }],
  ['phone', { width: 390, height: 844 }],
] as const;

const live = stackAndCamera();

test('no state of publishing and watching has an accessibility violation, on a desktop and on a phone', async () => {
  const page = await newPage(live.browser);
  await page.goto(live.stack.url);
  let shot = 0;
  const look = async (state: string, at = page) => {
    const name = `${shot++}-${state}`;
    for (const [device, size] of SIZES) {
      await at.setViewportSize(size);
      if (SHOTS) await at.screenshot({ path: `${SHOTS}/${device}-${name}.png`, fullPage: true });
      expect.soft(await violations(at), `${state}, ${device}`).toEqual([]);
    }
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
  const viewer = await newPage(live.browser);
  await viewer.goto((await page.getByTestId('watch-link').getAttribute('href')) ?? '');
  await framesShown(viewer, 'processed', 30);
  await look('watching', viewer);
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
});

test('all of publishing can be done with a keyboard', async () => {
  const page = await newPage(live.browser);
  await page.goto(live.stack.url);
  /** Presses Tab until this control has the focus. */
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
  // The answer that changes nothing has the focus.
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
