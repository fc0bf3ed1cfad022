import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 100;

/**
 * Resolves when every service says that it and what it depends on works.
 *
 * @param {{ host: string, port: number }[]} places whose `/readyz` is asked
 * @param {AbortSignal} signal
 * @param {number} withinMs
 * @throws {Error} with the last answers where that takes longer
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
 * @returns {Promise<string>} what is wrong; empty where nothing is
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
 * An address at which a server answers that listens at `host`, as it stands in a URL.
 *
 * @param {string} host
 */
function reachable(host) {
  if (['*', '0.0.0.0', '::'].includes(host)) return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
