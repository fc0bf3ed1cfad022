import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FatalError } from './fatal-error.mjs';
import { isInMemory } from './memory.mjs';

const PREFIX = 'facecast-';

/**
 * Takes the data directory for this process, so that no second start writes to it.
 *
 * @param {string} dataDir made where it does not exist
 * @returns {() => void} gives it back
 * @throws {FatalError} where one runs already
 */
export function lockDataDirectory(dataDir) {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'start.pid');
  try {
    writeFileSync(file, `${process.pid}`, { flag: 'wx' });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    const holder = Number(readFileSync(file, 'utf8'));
    if (isAlive(holder))
      throw new FatalError(
        `${dataDir} is in use by a running Facecast (process ${holder}): stop it, or set DATA_DIR`,
      );
    rmSync(file);
    return lockDataDirectory(dataDir);
  }
  return () => rmSync(file, { force: true });
}

/** What earlier versions wrote under the data directory that may show an unhidden picture. */
const UNHIDDEN_ON_DISK = ['redis', 'run'];

/**
 * Removes what earlier versions left on the disk: Redis's log, with every chunk that was published,
 * and raw frames.
 *
 * @param {string} dataDir
 */
export function removeUnhiddenLeftovers(dataDir) {
  for (const name of UNHIDDEN_ON_DISK)
    rmSync(join(dataDir, name), { recursive: true, force: true });
}

/**
 * Makes a directory in memory for what lives no longer than this process: Redis's log, raw frames,
 * playlists and segments. Unhidden pictures are never on a disk, and a live stream cannot wait for
 * one. What a start that was killed has left there is removed.
 *
 * @param {string | undefined} memory a directory in memory
 * @returns {string}
 * @throws {FatalError} where there is none
 */
export function makeRunDirectory(memory) {
  if (memory === undefined) throw new FatalError(NO_MEMORY);
  for (const name of readdirSync(memory)) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner)))
      rmSync(join(memory, name), { recursive: true });
  }
  return mkdtempSync(join(memory, `${PREFIX}${process.pid}-`));
}

const NO_MEMORY = [
  'this machine has no directory in memory (/dev/shm or XDG_RUNTIME_DIR on a tmpfs), and what can',
  'show an unhidden picture is never written to a disk: make one (Linux: mount -t tmpfs tmpfs',
  '/dev/shm; macOS: diskutil erasevolume HFS+ facecast $(hdiutil attach -nomount ram://4194304))',
  'and name it in XDG_RUNTIME_DIR',
].join(' ');

/**
 * Refuses a directory for pictures that is on a disk.
 *
 * @param {string} setting whose value it is
 * @param {string | undefined} directory absolute; undefined where the setting has no value
 * @throws {FatalError}
 */
export function requireMemory(setting, directory) {
  if (directory !== undefined && isInMemory(directory) === false)
    throw new FatalError(
      `${setting}: ${directory} is on a disk, and pictures are to be in memory: name a directory on a tmpfs, or leave it unset`,
    );
}

/** @param {number} pid */
function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
