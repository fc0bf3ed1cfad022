import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FatalError } from './fatal-error.mjs';
import { isInMemory } from './memory.mjs';
import { ownerRecord, runningOwner } from './owner-record.mjs';

const PREFIX = 'facecast-';
/** File in a directory that says which process owns it. */
const OWNER_FILE = 'start.pid';
/** Error codes for files that belong to another user, or cannot be changed. */
const NOT_OURS = ['EACCES', 'EPERM', 'EROFS'];

/**
 * Locks the data directory for this process, so that no second start writes to it.
 *
 * @param {string} dataDir made if it does not exist
 * @returns {() => void} releases the lock
 * @throws {FatalError} if a start runs already, or this user may not write
 */
export function lockDataDirectory(dataDir) {
  const file = join(dataDir, OWNER_FILE);
  try {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(file, ownerRecord(), { flag: 'wx' });
  } catch (error) {
    const { code = '' } = /** @type {NodeJS.ErrnoException} */ (error);
    if (NOT_OURS.includes(code)) throw notOurs(dataDir, code);
    if (code !== 'EEXIST') throw error;
    removeStaleOwner(dataDir, file);
    return lockDataDirectory(dataDir);
  }
  return () => rmSync(file, { force: true });
}

/**
 * @param {string} dataDir
 * @param {string} file
 */
function removeStaleOwner(dataDir, file) {
  try {
    const owner = runningOwner(readFileSync(file, 'utf8'));
    if (owner !== undefined)
      throw new FatalError(
        `${dataDir} is in use by a running Facecast (process ${owner}): stop it, or set DATA_DIR`,
      );
    rmSync(file);
  } catch (error) {
    const { code = '' } = /** @type {NodeJS.ErrnoException} */ (error);
    throw NOT_OURS.includes(code) ? notOurs(dataDir, code) : error;
  }
}

/**
 * @param {string} dataDir
 * @param {string} code
 */
function notOurs(dataDir, code) {
  return new FatalError(
    `${dataDir} cannot be written by this user (${code}): make it theirs, or set DATA_DIR`,
  );
}

/** Folders that earlier versions made under the data directory, with unhidden pictures. */
const UNHIDDEN_ON_DISK = ['redis', 'run'];

/**
 * Removes what earlier versions left on the disk: Redis's log, with every published chunk, and raw frames.
 *
 * @param {string} dataDir
 */
export function removeUnhiddenOrphans(dataDir) {
  for (const name of UNHIDDEN_ON_DISK)
    rmSync(join(dataDir, name), { recursive: true, force: true });
}

/**
 * Makes a directory in memory for what lives no longer than this process: Redis's log, raw frames,
 * playlists and segments. Unhidden pictures are never written to a disk, and a live stream cannot wait for
 * one. Removes the directories of this user's starts that were killed.
 *
 * @param {string | undefined} memory a directory in memory
 * @returns {string}
 * @throws {FatalError} if `memory` is undefined
 */
export function makeRunDirectory(memory) {
  if (memory === undefined) throw new FatalError(NO_MEMORY);
  for (const name of readdirSync(memory)) removeLeftRun(memory, name);
  const directory = mkdtempSync(join(memory, `${PREFIX}${process.pid}-`));
  writeFileSync(join(directory, OWNER_FILE), ownerRecord());
  return directory;
}

/**
 * Removes the directory of a start that does not run any more; leaves other directories and other users'
 * alone.
 *
 * @param {string} memory
 * @param {string} name
 */
function removeLeftRun(memory, name) {
  const number = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
  if (number === undefined) return;
  const directory = join(memory, name);
  try {
    if (runningOwner(ownerOf(directory, number)) === undefined)
      rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    // Another user's directory stays, and is no reason not to start.
    if (!NOT_OURS.includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) throw error;
  }
}

/**
 * The record of a directory's owner; if it has none (yet), the process id in its name.
 *
 * @param {string} directory
 * @param {string} number
 */
function ownerOf(directory, number) {
  try {
    return readFileSync(join(directory, OWNER_FILE), 'utf8') || number;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return number;
    throw error;
  }
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
 * @param {string} setting the setting with this value
 * @param {string | undefined} directory absolute; undefined if the setting has no value
 * @throws {FatalError}
 */
export function requireMemory(setting, directory) {
  if (directory !== undefined && isInMemory(directory) === false)
    throw new FatalError(
      `${setting}: ${directory} is on a disk, and pictures are to be in memory: name a directory on a tmpfs, or leave it unset`,
    );
}
