import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { findCascades, findOpenCvHeaders } from './opencv-system.mjs';
import {
  SetupError,
  findProgram,
  hasProgram,
  runLogged,
  timed,
  withLogFile,
} from './run-program.mjs';

/**
 * @typedef {object} Requirement
 * @property {string} name in words
 * @property {() => boolean} isThere
 * @property {string[]} debian its packages on Debian and Ubuntu
 * @property {string[]} brew its packages on macOS
 */

/** @type {Requirement[]} */
const needed = [
  {
    name: 'ffmpeg',
    isThere: () => hasProgram('ffmpeg') && hasProgram('ffprobe'),
    debian: ['ffmpeg'],
    brew: ['ffmpeg'],
  },
  {
    name: 'redis-server',
    isThere: () => hasProgram('redis-server'),
    debian: ['redis-server'],
    brew: ['redis'],
  },
  {
    name: 'OpenCV with its headers',
    isThere: () => findOpenCvHeaders() !== undefined,
    debian: ['libopencv-objdetect-dev', 'libopencv-dnn-dev'],
    brew: ['opencv'],
  },
  {
    name: "OpenCV's face cascades",
    isThere: () => findCascades() !== undefined,
    debian: ['opencv-data'],
    brew: ['opencv'],
  },
  {
    name: 'a C++ compiler, make and python3',
    isThere: () => ['g++', 'make', 'python3'].every(hasProgram),
    debian: ['g++', 'make', 'python3'],
    brew: ['python3'],
  },
];

/** Programs that the browser tests can drive, best first. */
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @type {Requirement[]} */
const neededByTests = [
  {
    name: 'Chromium',
    isThere: () => findBrowser() !== undefined,
    debian: ['chromium'],
    brew: ['--cask', 'chromium'],
  },
  {
    name: 'a font for Chromium',
    isThere: () =>
      process.platform !== 'linux' ||
      (existsSync('/usr/share/fonts') && readdirSync('/usr/share/fonts').length > 0),
    debian: ['fonts-dejavu-core'],
    brew: [],
  },
  {
    name: 'GStreamer with its HLS clients',
    isThere: () => hasGstElements('hlsdemux', 'hlsdemux2', 'qtdemux', 'h264parse', 'avdec_h264'),
    debian: [
      'gstreamer1.0-tools',
      'gstreamer1.0-plugins-good',
      'gstreamer1.0-plugins-bad',
      'gstreamer1.0-libav',
    ],
    brew: ['gstreamer'],
  },
];

/** @type {Requirement[]} */
const neededByBenchmarks = [
  {
    name: "GStreamer's facedetect and x264enc",
    isThere: () => hasGstElements('facedetect', 'x264enc'),
    debian: ['gstreamer1.0-opencv', 'gstreamer1.0-plugins-ugly'],
    brew: ['gstreamer'],
  },
  {
    name: 'Firefox ESR',
    isThere: () => hasProgram('firefox-esr'),
    debian: ['firefox-esr'],
    brew: ['--cask', 'firefox@esr'],
  },
];

/** @param {string[]} names */
function hasGstElements(...names) {
  return names.every(
    (name) => spawnSync('gst-inspect-1.0', ['--exists', name], { stdio: 'ignore' }).status === 0,
  );
}

/**
 * The browser that the tests drive.
 *
 * @returns {string | undefined} its path
 */
export function findBrowser() {
  return BROWSERS.map(findProgram).find((path) => path !== undefined);
}

/**
 * @typedef {object} Wanted
 * @property {boolean} browser also what only the tests need
 * @property {boolean} benchmarks also what only the benchmarks need
 */

/**
 * Installs the system packages that are missing, or says how to.
 *
 * @param {Wanted} wanted
 * @returns {Promise<void>}
 * @throws {SetupError} with the command to run, if this process cannot install them
 */
export async function ensureSystemPackages(wanted) {
  const missing = stillMissing(wanted);
  if (missing.length === 0) return;
  const packages = missing.flatMap((one) => one.debian);
  const asRoot = rootPrefix();
  if (!hasProgram('apt-get') || asRoot === undefined) throw new SetupError(instructions(missing));

  const hadRedis = hasProgram('redis-server');
  const [program = 'sh', ...args] = [...asRoot, 'sh', '-c', INSTALL_SCRIPT, 'sh', ...packages];
  await withLogFile('apt', (log) =>
    timed(`installing ${packages.join(' ')} (log: ${log})`, async () => {
      await runLogged('installing system packages', program, args, { log });
      if (!hadRedis) keepRedisServiceOff(asRoot, log);
    }),
  );
  const left = stillMissing(wanted);
  if (left.length > 0)
    throw new SetupError(
      `still missing after installing: ${left.map((one) => one.name).join(', ')}`,
    );
}

/** @param {Wanted} wanted */
function stillMissing({ browser, benchmarks }) {
  const ofTests = browser ? neededByTests : [];
  const all = [...needed, ...ofTests, ...(benchmarks ? neededByBenchmarks : [])];
  return all.filter((one) => !one.isThere());
}

/**
 * The words that run a command as root; undefined if that needs a person.
 *
 * @returns {string[] | undefined}
 */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  const sudo = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
  return sudo.status === 0 ? ['sudo', '-n'] : undefined;
}

// Debian starts a service as soon as its package is installed, unless policy-rc.d forbids it. A policy-rc.d
// that exists is the machine's own and stays untouched.
const INSTALL_SCRIPT = `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get update
apt-get install -y --no-install-recommends "$@"
`;

/**
 * Disables the system's Redis service, so that the next boot does not start it: Facecast has a Redis of its
 * own.
 *
 * @param {string[]} asRoot
 * @param {string} log
 */
function keepRedisServiceOff(asRoot, log) {
  if (!hasProgram('systemctl')) return;
  const [program = '', ...args] = [...asRoot, 'systemctl', 'disable', 'redis-server.service'];
  const { status } = spawnSync(program, args, { stdio: 'ignore' });
  if (status !== 0) console.warn(`\nthe system's redis-server could not be disabled (see ${log})`);
}

/** @param {Requirement[]} missing */
function instructions(missing) {
  const names = missing.map((one) => one.name).join(', ');
  if (process.platform === 'darwin')
    return `missing: ${names}. Run this, then start again:\n  brew install ${unique(missing.flatMap((one) => one.brew))}`;
  const command = `apt-get install -y --no-install-recommends ${unique(missing.flatMap((one) => one.debian))}`;
  if (hasProgram('apt-get'))
    return `missing: ${names}. Run this, then start again:\n  sudo apt-get update && sudo ${command}`;
  return `missing: ${names}. On Debian or Ubuntu this brings them; install their like, then start again:\n  ${command}`;
}

/** @param {string[]} words */
function unique(words) {
  return [...new Set(words)].join(' ');
}
