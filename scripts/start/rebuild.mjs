import { watch } from 'node:fs';
import { join, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureBuilt } from '../setup/build.mjs';
import { root } from '../setup/paths.mjs';
import { SERVICES } from './services.mjs';

/** Time to wait after a change, in milliseconds, because an editor may save several files. */
const SETTLE_MS = 200;
const WATCHED = ['shared/src', 'web', ...SERVICES.map((service) => `services/${service}/src`)];
/** Matches files that a build writes itself. */
const BUILT = /(^|\/)(dist|dist-types|node_modules)\/|\.tsbuildinfo$/;

/**
 * The services that must be restarted when a source file has changed.
 *
 * @param {string} path from the project's directory, with slashes
 * @returns {string[] | undefined} undefined if nothing need be built
 */
export function affectedServices(path) {
  if (BUILT.test(path) || /\.test\.ts$/.test(path) || path.includes('/testing/')) return undefined;
  if (path.startsWith('web/')) return [];
  if (path.startsWith('shared/')) return SERVICES;
  return SERVICES.filter((service) => path.startsWith(`services/${service}/`));
}

/**
 * Rebuilds changed sources until `signal` is aborted, and has the services that use them restarted. If a
 * build fails, that is printed, and the running services go on.
 *
 * @param {AbortSignal} signal
 * @param {(services: string[]) => Promise<void>} restart
 */
export async function rebuildOnChange(signal, restart) {
  /** @type {Set<string>} */
  const changed = new Set();
  let wake = () => {};
  for (const directory of WATCHED)
    watch(join(root, directory), { recursive: true, signal }, (_, name) => {
      if (name === null) return;
      changed.add(`${directory}/${name.split(sep).join('/')}`);
      wake();
    });
  while (!signal.aborted) {
    if (changed.size === 0)
      await new Promise((resolve) => {
        wake = () => resolve(undefined);
        signal.addEventListener('abort', wake, { once: true });
      });
    await delay(SETTLE_MS, undefined, { signal }).catch(() => {});
    const affected = [...changed].map(affectedServices).filter((found) => found !== undefined);
    changed.clear();
    if (signal.aborted || affected.length === 0) continue;
    try {
      await ensureBuilt();
      await restart([...new Set(affected.flat())]);
    } catch (error) {
      console.error(/** @type {Error} */ (error).message);
    }
  }
}
