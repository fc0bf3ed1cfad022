import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { FatalError } from './fatal-error.mjs';

const MEMORY = '/dev/shm';
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

/**
 * Makes a directory for what lives no longer than this process (raw frames, playlists, segments), in
 * memory where the machine offers that: a live stream cannot wait for a disk. What a start that was
 * killed has left in memory is removed.
 *
 * @param {string} dataDir
 * @returns {string}
 */
export function makeRunDirectory(dataDir) {
  if (!isWritable(MEMORY)) {
    const directory = join(dataDir, 'run');
    mkdirSync(directory, { recursive: true });
    return directory;
  }
  for (const name of readdirSync(MEMORY)) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner)))
      rmSync(join(MEMORY, name), { recursive: true });
  }
  return mkdtempSync(join(MEMORY, `${PREFIX}${process.pid}-`));
}

/** @param {string} directory */
function isWritable(directory) {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
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
