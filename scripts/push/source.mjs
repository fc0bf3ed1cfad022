import { setTimeout as wait } from 'node:timers/promises';
import { inputOf } from './input.mjs';
import { startMedia } from './media.mjs';

/**
 * A lost live source is tried again after this time, in milliseconds; the time doubles with each attempt,
 * up to the maximum.
 */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/**
 * What is to be published: one input stream after another. A live source gives another one each time that
 * it comes back.
 *
 * @typedef {object} Source
 * @property {() => AsyncGenerator<import('./media.mjs').Media, void, undefined>} streams
 * @property {() => void} stop ends it as if the source ended here
 */

/**
 * @param {string} name of a file, an address, or `-`
 * @param {{ loop: boolean, tell: (line: string) => void }} options
 * @returns {Promise<Source>}
 * @throws {Error} with a sentence if there is no such file
 */
export async function openSource(name, { loop, tell }) {
  const input = await inputOf(name);
  const stopped = new AbortController();
  const { signal } = stopped;

  async function* streams() {
    yield* played(await startMedia(input, { loop }));
    for (let retryMs = FIRST_RETRY_MS; input.isLive && !signal.aborted;) {
      tell(`${input.label} is tried again in ${retryMs / 1000} s`);
      await wait(retryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
      try {
        yield* played(await startMedia(input, { loop }));
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        tell(/** @type {Error} */ (error).message);
      }
    }
  }

  /** @param {import('./media.mjs').Media} media */
  async function* played(media) {
    const stop = () => media.stop();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    let isRead = false;
    try {
      yield media;
      isRead = true;
    } finally {
      if (!isRead) stop();
      signal.removeEventListener('abort', stop);
    }
    const failure = await media.failure;
    if (failure === '' || signal.aborted) return;
    if (!input.isLive) throw new Error(`${input.label}: ${failure}`);
    tell(`${input.label}: ${failure}`);
  }

  return { streams, stop: () => stopped.abort() };
}
