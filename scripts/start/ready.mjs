import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 100;
const LONGEST_WAIT_MS = 300_000;

/**
 * Resolves when every service says that it and what it depends on works.
 *
 * @param {number[]} ports whose `/readyz` is asked
 * @param {AbortSignal} signal
 * @throws {Error} with the last answers where that takes more than five minutes
 */
export async function untilReady(ports, signal) {
  const giveUp = performance.now() + LONGEST_WAIT_MS;
  for (;;) {
    const answers = await Promise.all(ports.map((port) => ask(port, signal)));
    signal.throwIfAborted();
    const problems = answers.filter((answer) => answer !== '');
    if (problems.length === 0) return;
    if (performance.now() > giveUp) throw new Error(`not ready:\n  ${problems.join('\n  ')}`);
    await delay(ASK_EVERY_MS, undefined, { signal });
  }
}

/**
 * @param {number} port
 * @param {AbortSignal} signal
 * @returns {Promise<string>} what is wrong; empty where nothing is
 */
async function ask(port, signal) {
  const url = `http://127.0.0.1:${port}/readyz`;
  try {
    const response = await fetch(url, { signal });
    const text = await response.text();
    return response.ok ? '' : `${url}: ${response.status} ${text}`;
  } catch (error) {
    return `${url}: ${/** @type {Error} */ (error).message}`;
  }
}
