import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { RunnableTimer } from './runnable-timer.js';
import { schedulerDelayMs } from './scheduler-delay.js';

const LIMIT_MS = 1_000;

describe('a process is hung', () => {
  let expired: number;
  /** The scheduler delay that the timer is given, in milliseconds; undefined: unknown. */
  let delayMs: number | undefined;
  let timer: RunnableTimer;

  beforeEach(() => {
    vi.useFakeTimers();
    expired = 0;
    delayMs = 5_000;
    timer = new RunnableTimer(
      () => 1,
      () => expired++,
      () => delayMs,
    );
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** Lets `ms` pass; `waiting` is the fraction in which the process waits for a CPU. */
  const pass = (ms: number, waiting = 0) => {
    for (let passed = 0; passed < ms; passed += 25) {
      if (delayMs !== undefined) delayMs += 25 * waiting;
      vi.advanceTimersByTime(25);
    }
  };

  test('when it could have run for the limit', () => {
    timer.start(LIMIT_MS);
    pass(LIMIT_MS);
    expect(expired).toBe(0);
    pass(LIMIT_MS / 8);
    expect(expired).toBe(1);
    pass(10 * LIMIT_MS);
    expect(expired).toBe(1);
  });

  test('not while it waits for a CPU, however long', () => {
    timer.start(LIMIT_MS);
    pass(60 * LIMIT_MS, 1);
    expect(expired).toBe(0);
    pass(1.25 * LIMIT_MS);
    expect(expired).toBe(1);
  });

  test('later, if it waits for a part of the time', () => {
    timer.start(LIMIT_MS);
    pass(3 * LIMIT_MS, 0.75);
    expect(expired).toBe(0);
    pass(2 * LIMIT_MS, 0.75);
    expect(expired).toBe(1);
  });

  test('not because the watching process stood still', () => {
    timer.start(LIMIT_MS);
    for (let times = 0; times < 3; times++) {
      pass(LIMIT_MS / 8);
      const before = performance.now();
      vi.spyOn(performance, 'now').mockReturnValueOnce(before + 60_000);
    }
    pass(LIMIT_MS / 8);
    expect(expired).toBe(0);
  });

  test('also if nothing is known of its waits', () => {
    delayMs = undefined;
    timer.start(LIMIT_MS);
    pass(LIMIT_MS - 25);
    expect(expired).toBe(0);
    pass(25);
    expect(expired).toBe(1);
  });

  test('not once the timer was stopped, and again after another start', () => {
    timer.start(LIMIT_MS);
    pass(LIMIT_MS);
    timer.stop();
    pass(LIMIT_MS);
    timer.start(LIMIT_MS);
    pass(LIMIT_MS);
    expect(expired).toBe(0);
    pass(LIMIT_MS / 8);
    expect(expired).toBe(1);
  });
});

test.runIf(schedulerDelayMs(process.pid) !== undefined)(
  'a process that shares a CPU with others has a scheduler delay, and a stopped one has none',
  async () => {
    const spin = () => spawn('taskset', ['-c', '0', 'sh', '-c', 'while :; do :; done']);
    const busy = [spin(), spin(), spin()];
    onTestFinished(() => busy.forEach((each) => void each.kill('SIGKILL')));
    await Promise.all(busy.map((each) => once(each, 'spawn')));
    const [first] = busy;
    const delay = () => schedulerDelayMs(first!.pid!) ?? NaN;
    await expect.poll(delay, { timeout: 60_000 }).toBeGreaterThan(500);

    first!.kill('SIGSTOP');
    const stopped = new Promise<void>((resolve) => {
      new RunnableTimer(() => first!.pid, resolve).start(500);
    });
    await stopped;
  },
);

test('a process that is gone has no scheduler delay', () => {
  expect(schedulerDelayMs(2 ** 22 + 1)).toBeUndefined();
});
