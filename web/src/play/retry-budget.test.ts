import { expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.js';

test('retries are bounded within their window, and there are new ones after it', () => {
  const retries = new RetryBudget(2, 1_000);
  expect([retries.take(0), retries.take(500), retries.take(900)]).toEqual([true, true, false]);
  expect(retries.take(1_000)).toBe(true);
  expect(retries.take(1_100)).toBe(false);
});
