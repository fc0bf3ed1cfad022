import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** File systems in memory (statfs(2): tmpfs and ramfs). */
const MEMORY_FILE_SYSTEMS = [0x01021994, 0x858458f6];

/** Usual directories in memory that every user may write to. */
const USUAL_PLACES = ['/dev/shm', '/run/shm'];

/**
 * A directory in memory that this user may write to.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} places looked at first, before the user's own
 * @returns {string | undefined} undefined if the machine has none
 */
export function findMemoryDirectory(env = process.env, places = USUAL_PLACES) {
  return [...places, env['XDG_RUNTIME_DIR']].find(
    (path) => path !== undefined && path !== '' && isWritable(path) && isInMemory(path) !== false,
  );
}

/**
 * Whether files at a path are in memory. For a path that does not exist yet, its nearest existing directory
 * counts.
 *
 * @param {string} path absolute
 * @returns {boolean | undefined} undefined if the system cannot tell: outside Linux, a disk in memory looks
 *   like any other
 */
export function isInMemory(path) {
  if (process.platform !== 'linux') return undefined;
  return existsSync(path)
    ? MEMORY_FILE_SYSTEMS.includes(statfsSync(path).type)
    : isInMemory(dirname(path));
}

const MEGABYTE = 1_000_000;
/**
 * Bytes of memory that a session of 1280x720 needs. The frame store gives one session an eighth of its
 * volume, and 15 batches of 3 frames, one and a half seconds of work for the detectors, are 62 MB.
 */
const SESSION_BYTES = 512 * MEGABYTE;

/**
 * A warning if the directory in memory is too small for a session.
 *
 * @param {string} directory
 * @param {{ blocks: number, bavail: number, bsize: number }} volume
 * @returns {string | undefined} undefined if there is enough space
 */
export function whyTooSmall(directory, volume = statfsSync(directory)) {
  const { blocks, bavail, bsize } = volume;
  if (bavail * bsize >= SESSION_BYTES) return undefined;
  const megabytes = (/** @type {number} */ bytes) => `${Math.round(bytes / MEGABYTE)} MB`;
  return [
    `${directory} has ${megabytes(blocks * bsize)}, of which ${megabytes(bavail * bsize)} are free: a session`,
    `of 1280x720 needs ${megabytes(SESSION_BYTES)} for frames, playlists and the log of Redis, and may stand`,
    'still or end with less. Make it larger (Docker: --shm-size=1g; Linux: mount -o remount,size=1g',
    `${directory}), or set MAX_WIDTH and MAX_HEIGHT lower`,
  ].join(' ');
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
