import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { findCascades, findOpenCvHeaders, openCvVersion } from './opencv-system.mjs';
import { cacheDirectory, root } from './paths.mjs';
import { SetupError, newLogFile, runLogged, timed } from './run-program.mjs';

const binding = join(root, 'node_modules', '@u4', 'opencv4nodejs');
const addon = join(binding, 'build', 'Release', 'opencv4nodejs.node');
/** What `addon` was built from. Lies where whatever removes the addon removes it, too. */
const stampFile = join(binding, 'build', 'facecast-stamp');
/** Grows with each change of how the addon is built. */
const RECIPE = 1;
/** The modules that are bound: everything that the face-detector uses, and no windows or codecs. */
const MODULES = ['CORE', 'DNN', 'IMGPROC', 'OBJDETECT'];

/**
 * Builds the binding of the system's OpenCV for this Node, or takes the one that an earlier build
 * left in the user's cache.
 *
 * @throws {SetupError}
 */
export async function ensureOpenCvAddon() {
  const headers = findOpenCvHeaders();
  if (headers === undefined) throw new SetupError('OpenCV has no headers on this machine');
  const stamp = stampOf(headers);
  if (existsSync(addon) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp)
    return;

  const cached = join(cacheDirectory, 'opencv4nodejs', stamp, 'opencv4nodejs.node');
  if (existsSync(cached)) {
    copyWhole(cached, addon);
    if (loadFailure() === undefined) return writeFileSync(stampFile, stamp);
    rmSync(dirname(cached), { recursive: true });
  }

  const log = newLogFile('opencv');
  await timed(`compiling the OpenCV binding, once, about 3 minutes (log: ${log})`, () =>
    build(headers, log),
  );
  const failure = loadFailure();
  if (failure !== undefined) throw new SetupError(`the OpenCV binding does not load:\n${failure}`);
  copyWhole(addon, cached);
  writeFileSync(stampFile, stamp);
}

/** @param {string} headers */
function stampOf(headers) {
  const { version } = JSON.parse(readFileSync(join(binding, 'package.json'), 'utf8'));
  return [
    version,
    `opencv${openCvVersion(headers)}`,
    `abi${process.versions.modules}`,
    `${process.platform}-${process.arch}`,
    `recipe${RECIPE}`,
  ].join('-');
}

/**
 * @param {string} headers
 * @param {string} log
 */
async function build(headers, log) {
  const nodePrefix = dirname(dirname(process.execPath));
  const hasNodeHeaders = existsSync(join(nodePrefix, 'include', 'node', 'node.h'));
  await runLogged(
    'compiling the OpenCV binding',
    'npm',
    ['rebuild', '--foreground-scripts', '@u4/opencv4nodejs'],
    {
      log,
      cwd: root,
      env: {
        ...process.env,
        OPENCV4NODEJS_DISABLE_AUTOBUILD: '1',
        OPENCV_INCLUDE_DIR: makeNarrowedHeaders(headers),
        JOBS: `${availableParallelism()}`,
        // The binding only hands calls on: unoptimised it is as fast, and compiles in half the time.
        CXXFLAGS: '-O0 -g0 -w',
        // Link only what is called, not every OpenCV library that is found.
        ...(process.platform === 'linux' ? { LDFLAGS: '-Wl,--as-needed' } : {}),
        // Node's own headers, where they came with it, instead of a download.
        ...(hasNodeHeaders ? { npm_config_nodedir: nodePrefix } : {}),
      },
    },
  );
}

/**
 * OpenCV's headers behind a list of modules that names only the needed ones: the binding compiles
 * what that list names, and a distribution's names every module there is.
 *
 * @param {string} headers
 * @returns {string} the directory to compile against
 */
function makeNarrowedHeaders(headers) {
  const shim = join(root, 'node_modules', '.cache', 'facecast', 'opencv-headers');
  rmSync(shim, { recursive: true, force: true });
  mkdirSync(join(shim, 'opencv2'), { recursive: true });
  symlinkSync(headers, join(shim, 'opencv4'));
  const list = MODULES.map((module) => `#define HAVE_OPENCV_${module}\n`).join('');
  writeFileSync(join(shim, 'opencv2', 'opencv_modules.hpp'), list);
  return shim;
}

/**
 * Loads the binding and finds no face in a grey picture, in a process of its own: a binding built
 * against other libraries crashes.
 *
 * @returns {string | undefined} what went wrong
 */
function loadFailure() {
  const program = `
    require('@u4/opencv-build').Log.silence = true;
    const cv = require('@u4/opencv4nodejs');
    const picture = new cv.Mat(120, 160, cv.CV_8UC1, 128);
    new cv.CascadeClassifier(process.argv[1]).detectMultiScale(picture);
    picture.release();`;
  const cascade = join(findCascades() ?? '', 'haarcascade_frontalface_alt2.xml');
  const { status, signal, stderr } = spawnSync(process.execPath, ['-e', program, cascade], {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      OPENCV4NODEJS_DISABLE_AUTOBUILD: '1',
      OPENCV4NODEJS_DISABLE_EXTERNAL_MEM_TRACKING: '1',
    },
  });
  return status === 0 ? undefined : `${stderr.trim().slice(-2000)} (${signal ?? `exit ${status}`})`;
}

/**
 * @param {string} from
 * @param {string} to
 */
function copyWhole(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const unfinished = `${to}.${process.pid}`;
  copyFileSync(from, unfinished);
  renameSync(unfinished, to);
}
