import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 100;

/**
 * Resolves when every service is ready.
 *
 * @param {{ host: string, port: number }[]} places servers whose `/readyz` is asked
 * @param {AbortSignal} signal
 * @param {number} withinMs
 * @throws {Error} with the last answers if that takes longer
 */
export async function untilReady(places, signal, withinMs) {
  const giveUp = performance.now() + withinMs;
  for (;;) {
    const answers = await Promise.all(places.map((place) => ask(place, signal)));
    signal.throwIfAborted();
    const problems = answers.filter((answer) => answer !== '');
    if (problems.length === 0) return;
    if (performance.now() > giveUp) throw new Error(`not ready:\n  ${problems.join('\n  ')}`);
    await delay(ASK_EVERY_MS, undefined, { signal });
  }
}

/**
 * @param {{ host: string, port: number }} place
 * @param {AbortSignal} signal
 * @returns {Promise<string>} what is wrong; empty if nothing is
 */
async function ask({ host, port }, signal) {
  const url = `http://${reachable(host)}:${port}/readyz`;
  try {
    const response = await fetch(url, { signal });
    const text = await response.text();
    return response.ok ? '' : `${url}: ${response.status} ${text}`;
  } catch (error) {
    return `${url}: ${/** @type {Error} */ (error).message}`;
  }
}

/**
 * The host of a URL at which a server that listens at `host` answers.
 *
 * @param {string} host
 */
function reachable(host) {
  if (['*', '0.0.0.0', '::'].includes(host)) return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
