import { watch } from 'node:fs';
import { join, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureBuilt } from '../setup/build.mjs';
import { root } from '../setup/paths.mjs';
import { SERVICES } from './services.mjs';

/** An editor that saves several files is waited for. */
const SETTLE_MS = 200;
const WATCHED = ['shared/src', 'web', ...SERVICES.map((service) => `services/${service}/src`)];
/** What a build writes itself. */
const BUILT = /(^|\/)(dist|dist-types|node_modules)\/|\.tsbuildinfo$/;

/**
 * The services that must be restarted when a source file has changed.
 *
 * @param {string} path from the project's directory, with slashes
 * @returns {string[] | undefined} undefined where nothing need even be built
 */
export function affectedServices(path) {
  if (BUILT.test(path) || /\.test\.ts$/.test(path) || path.includes('/testing/')) return undefined;
  if (path.startsWith('web/')) return [];
  if (path.startsWith('shared/')) return SERVICES;
  return SERVICES.filter((service) => path.startsWith(`services/${service}/`));
}

/**
 * Builds what changes until `signal` is aborted, and has the services that it is part of restarted. A
 * build that fails is told, and what runs goes on.
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
