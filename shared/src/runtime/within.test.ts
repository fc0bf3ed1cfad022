import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { within } from './within.js';

const LIMIT_MS = 1_000;
const never = new Promise<never>(() => {});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('work with a limit', () => {
  test('gives what it gives, and leaves no timer', async () => {
    await expect(within(LIMIT_MS, Promise.resolve('done'))).resolves.toBe('done');
    await expect(within(LIMIT_MS, Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('fails at the limit, and not before', async () => {
    let failure: unknown;
    const waiting = within(LIMIT_MS, never).catch((error: unknown) => (failure = error));
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
    expect(failure).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(failure).toEqual(new Error('not done within 1000 ms'));
  });
});
