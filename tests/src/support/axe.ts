import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface Axe {
  run(options: RunOptions): Promise<AxeResults>;
}

/** Accessibility violations of a page as it is now: rule and element. */
export async function violations(page: Page): Promise<string[]> {
  // Evaluated as text, because the page's policy allows no foreign script.
  await page.evaluate(await readFile(AXE, 'utf8'));
  // Without passes and selectors, which take most of the time.
  const options: RunOptions = { resultTypes: ['violations'], selectors: false };
  const found = await page.evaluate(
    (given) => (globalThis as unknown as { axe: Axe }).axe.run(given),
    options,
  );
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
