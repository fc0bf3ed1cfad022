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
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { findCascades, findOpenCvHeaders, openCvVersion } from './opencv-system.mjs';
import { cacheDirectory, root } from './paths.mjs';
import { SetupError, runLogged, timed, withLogFile } from './run-program.mjs';

const binding = join(root, 'node_modules', '@u4', 'opencv4nodejs');
const addon = join(binding, 'build', 'Release', 'opencv4nodejs.node');
/** What `addon` was built from. Lies where whatever removes the addon removes it, too. */
const stampFile = join(binding, 'build', 'facecast-stamp');
/** Grows with each change of how the addon is built. */
const RECIPE = 1;
/** The modules that are bound: everything that the face-detector uses, and no windows or codecs. */
const MODULES = ['CORE', 'DNN', 'IMGPROC', 'OBJDETECT'];
/** What most of the binding's files include. */
const COMMON_HEADERS = [
  'node.h',
  'nan.h',
  ...MODULES.map((module) => `opencv2/${module.toLowerCase()}.hpp`),
];
/** What only the build needs; removed after it. */
const scratch = join(root, 'node_modules', '.cache', 'facecast-opencv');

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

  await withLogFile('opencv', (log) =>
    timed(`compiling the OpenCV binding, once, about 2 minutes (log: ${log})`, () =>
      build(headers, log),
    ),
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
 * What the binding's own install script does (`node-gyp rebuild`), in half the time: nearly all of
 * it is spent on reading the same headers for each of a hundred small files, so they are read once.
 *
 * @param {string} headers
 * @param {string} log
 */
async function build(headers, log) {
  rmSync(scratch, { recursive: true, force: true });
  makeNarrowedHeaders(headers);
  const nodePrefix = dirname(dirname(process.execPath));
  const hasNodeHeaders = existsSync(join(nodePrefix, 'include', 'node', 'node.h'));
  const common = join(scratch, 'common.h');
  writeFileSync(common, COMMON_HEADERS.map((name) => `#include <${name}>\n`).join(''));
  // The binding only hands calls on: unoptimised it is as fast, and sooner compiled.
  const flags = '-O0 -g0 -w';
  const env = {
    ...process.env,
    OPENCV4NODEJS_DISABLE_AUTOBUILD: '1',
    OPENCV_INCLUDE_DIR: scratch,
    JOBS: `${availableParallelism()}`,
    CXXFLAGS: flags,
    // Link only what is called, not every OpenCV library that is found.
    ...(process.platform === 'linux' ? { LDFLAGS: '-Wl,--as-needed' } : {}),
    // Node's own headers, where they came with it, instead of a download.
    ...(hasNodeHeaders ? { npm_config_nodedir: nodePrefix } : {}),
  };
  const title = 'compiling the OpenCV binding';
  const nodeGyp = createRequire(join(binding, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
  const options = { log, cwd: binding };
  await runLogged(title, process.execPath, [nodeGyp, 'configure'], { ...options, env });
  await precompile(common, { ...options, env });
  await runLogged(title, process.execPath, [nodeGyp, 'build'], {
    ...options,
    env: { ...env, CXXFLAGS: `${flags} -include ${common}` },
  });
  rmSync(scratch, { recursive: true });
}

/**
 * Compiles a header ahead, with just the flags of the binding's own files: a compiler in their place
 * takes their arguments. Where that fails, the header is read again and again as it would be without.
 *
 * @param {string} header
 * @param {{ log: string, cwd: string, env: NodeJS.ProcessEnv }} options
 */
async function precompile(header, options) {
  const compiler = join(scratch, 'compile-header.sh');
  // The first three arguments are `-o`, the object and the source.
  writeFileSync(compiler, `shift 3; exec g++ -x c++-header -o '${header}.gch' '${header}' "$@"\n`);
  const make = ['-C', 'build', 'BUILDTYPE=Release', `CXX=sh ${compiler}`];
  const object = 'Release/obj.target/opencv4nodejs/cc/ExternalMemTracking.o';
  await runLogged('make', 'make', [...make, object], options).catch(() => {});
}

/**
 * Puts OpenCV's headers behind a list of modules that names only the needed ones: the binding
 * compiles what that list names, and a distribution's names every module there is.
 *
 * @param {string} headers
 */
function makeNarrowedHeaders(headers) {
  mkdirSync(join(scratch, 'opencv2'), { recursive: true });
  symlinkSync(headers, join(scratch, 'opencv4'));
  const list = MODULES.map((module) => `#define HAVE_OPENCV_${module}\n`).join('');
  writeFileSync(join(scratch, 'opencv2', 'opencv_modules.hpp'), list);
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
