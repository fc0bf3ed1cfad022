import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SupervisedProcess } from './supervised-process.mjs';

/**
 * Supervises a Node program. `line` and `givenUp` wait for what it says.
 *
 * @param {string} program
 * @param {Partial<import('./supervised-process.mjs').ProcessOptions>} [options]
 */
function supervise(program, options) {
  /** @type {string[]} */
  const lines = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  /** @type {(reason: string) => void} */
  let giveUp = () => {};
  const givenUp = new Promise((resolve) => {
    giveUp = resolve;
  });
  const supervised = new SupervisedProcess({
    name: 'it',
    program: process.execPath,
    args: ['-e', program],
    env: process.env,
    onLine: (_, line) => {
      lines.push(line);
      waiting.splice(0).forEach((resolve) => resolve());
    },
    onGivenUp: giveUp,
    ...options,
  });
  /** @type {(pattern: RegExp, count?: number) => Promise<string[]>} */
  const line = async (pattern, count = 1) => {
    for (;;) {
      const found = lines.filter((one) => pattern.test(one));
      if (found.length >= count) return found;
      await new Promise((resolve) => waiting.push(() => resolve(undefined)));
    }
  };
  return { supervised, line, givenUp };
}

/** Whether a process runs; one that only waits to be reaped does not. @param {string} pid */
function isRunning(pid) {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const STAYS = `console.log('pid', process.pid); setInterval(() => {}, 1000);`;

describe('a supervised process', () => {
  test('is started again when it dies', async () => {
    const { supervised, line } = supervise(STAYS);
    const [first = ''] = await line(/^pid/);
    process.kill(Number(first.slice(4)), 'SIGKILL');
    const [, second] = await line(/^pid/, 2);
    expect(second).not.toBe(first);
    expect(await line(/died \(SIGKILL\)/)).toHaveLength(1);
    await supervised.stop();
  });

  test('that is restarted is stopped in order, and is another process then', async () => {
    const { supervised, line } = supervise(
      `process.on('SIGTERM', () => { console.log('bye'); process.exit(0); }); ${STAYS}`,
    );
    const [first] = await line(/^pid/);
    await supervised.restart();
    expect(await line(/^bye/)).toHaveLength(1);
    const [, second] = await line(/^pid/, 2);
    expect(second).not.toBe(first);
    await supervised.stop();
    expect(await line(/starting again|bye/, 2)).toEqual(['bye', 'bye']);
  });

  test('that is stopped while it is restarted stays down', async () => {
    const { supervised, line } = supervise(STAYS);
    await line(/^pid/);
    await Promise.all([supervised.restart(), supervised.stop()]);
    expect(await line(/^pid/)).toHaveLength(1);
  });

  test('that does not stay up is given up after six deaths, with its last lines', async () => {
    // On a slow machine, its start alone takes longer than the default time.
    const { givenUp, line } = supervise(`console.error('no such thing'); process.exit(3)`, {
      longLifeMs: 60_000,
    });
    expect(await givenUp).toMatch(/it does not stay up \(exit 3\).*no such thing/s);
    expect(await line(/no such thing/)).toHaveLength(6);
  });

  test('that dies now and then, having stayed up in between, is never given up', async () => {
    const { supervised, line } = supervise(
      `console.log('up'); setTimeout(() => process.exit(3), 20)`,
      { longLifeMs: 10 },
    );
    expect(await line(/^up/, 8)).toHaveLength(8);
    expect(await line(/starting again in 200 ms/, 7)).toHaveLength(7);
    await supervised.stop();
  });

  test('that refuses its settings is not started again', async () => {
    const { givenUp, line } = supervise(`console.error('PORT: bad'); process.exit(78)`);
    expect(await givenUp).toBe('it refuses its settings:\n  PORT: bad');
    expect(await line(/PORT/)).toHaveLength(1);
  });

  test('takes its own children with it, however it ends', async () => {
    const { supervised, line } = supervise(
      `const child = require('child_process').spawn('sleep', ['1000']);
       console.log('child', child.pid); setInterval(() => {}, 1000);`,
    );
    const [child = ''] = await line(/^child/);
    await supervised.stop();
    await expect.poll(() => isRunning(child.slice(6))).toBe(false);
  });

  test('that ignores SIGTERM is killed after the grace', async () => {
    const { supervised, line } = supervise(`process.on('SIGTERM', () => {}); ${STAYS}`, {
      stopGraceMs: 50,
    });
    const [pid = ''] = await line(/^pid/);
    await supervised.stop();
    expect(isRunning(pid.slice(4))).toBe(false);
  });

  test('that cannot be started at all is given up at once', async () => {
    const { givenUp } = supervise('', { program: '/nowhere/nothing' });
    expect(await givenUp).toMatch(/^it cannot be started: .*ENOENT/);
  });
});
