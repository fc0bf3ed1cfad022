import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { runLogged, timed, withLogFile } from './run-program.mjs';

const lockFile = join(root, 'package-lock.json');
/** Says what is installed; in a place where `npm ci` removes it. */
const stampFile = join(root, 'node_modules', '.facecast-installed');
const platform = `${process.platform}-${process.arch}`;

/**
 * Installs the packages of package-lock.json, unless exactly these are installed. Install scripts are not
 * run; the one that is needed, OpenCV's, has a step of its own.
 */
export async function ensureNpmPackages() {
  const lockHash = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  const [stampedHash, stampedPlatform] = readStamp();
  if (stampedHash === lockHash && stampedPlatform === platform) return;
  if (stampedPlatform !== platform || !isInstalledAsLocked()) {
    const args = ['ci', '--ignore-scripts', '--include=dev'];
    await withLogFile('npm', (log) =>
      timed('installing npm packages', () => runLogged('npm ci', 'npm', args, { log, cwd: root })),
    );
  }
  writeFileSync(stampFile, `${lockHash} ${platform}\n`);
}

/** @returns {string[]} */
function readStamp() {
  // No stamp: installed by hand, hence on this platform.
  if (!existsSync(stampFile)) return ['', platform];
  return readFileSync(stampFile, 'utf8').trim().split(' ');
}

/** Whether npm's own record of node_modules has every package of the lock in its version. */
function isInstalledAsLocked() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readPackages(record);
  return Object.entries(readPackages(lockFile)).every(
    ([path, { version, optional, link }]) =>
      !path.startsWith('node_modules/') ||
      optional === true ||
      (link === true ? installed[path]?.link === true : installed[path]?.version === version),
  );
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean, link?: boolean }>}
 */
function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
