import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** File systems that are memory and nothing else (statfs(2): tmpfs and ramfs). */
const MEMORY_FILE_SYSTEMS = [0x01021994, 0x858458f6];

/** Where systems have a directory in memory for everybody. */
const USUAL_PLACES = ['/dev/shm', '/run/shm'];

/**
 * A directory in memory that this user may write to.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} places looked at first, before the user's own
 * @returns {string | undefined} undefined where the machine offers none
 */
export function findMemoryDirectory(env = process.env, places = USUAL_PLACES) {
  return [...places, env['XDG_RUNTIME_DIR']].find(
    (path) => path !== undefined && path !== '' && isWritable(path) && isInMemory(path) !== false,
  );
}

/**
 * Whether what is written at a path stays in memory: of a path that is not there yet, its nearest
 * directory that is.
 *
 * @param {string} path absolute
 * @returns {boolean | undefined} undefined where the system cannot tell: outside of Linux, a disk in
 *   memory looks like any other
 */
export function isInMemory(path) {
  if (process.platform !== 'linux') return undefined;
  return existsSync(path)
    ? MEMORY_FILE_SYSTEMS.includes(statfsSync(path).type)
    : isInMemory(dirname(path));
}

/** @param {string} path */
function isWritable(path) {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
