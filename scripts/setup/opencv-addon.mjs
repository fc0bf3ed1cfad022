import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findCascades, findOpenCvHeaders, openCvVersion } from './opencv-system.mjs';
import { cacheDirectory, root } from './paths.mjs';
import { SetupError, runLogged, timed, withLogFile } from './run-program.mjs';

const binding = join(root, 'node_modules', '@u4', 'opencv4nodejs');
const BUILT_ADDON = join('build', 'Release', 'opencv4nodejs.node');
const addon = join(binding, BUILT_ADDON);
/** Says what `addon` was built from; in a place where whatever removes the addon removes it, too. */
const stampFile = join(binding, 'build', 'facecast-stamp');
/** To be raised with each change to how the addon is built. */
const RECIPE = 1;
/** The OpenCV modules that are bound: those that the face-detector uses, without windows and codecs. */
const MODULES = ['CORE', 'DNN', 'IMGPROC', 'OBJDETECT'];
/** Headers that most of the binding's files include. */
const COMMON_HEADERS = [
  'node.h',
  'nan.h',
  ...MODULES.map((module) => `opencv2/${module.toLowerCase()}.hpp`),
];

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
 * Does what the binding's install script does (`node-gyp rebuild`) in half the time. Nearly all of its time
 * goes into reading the same headers for a hundred small files, so they are read once.
 *
 * @param {string} headers
 * @param {string} log
 */
async function build(headers, log) {
  const scratch = makeScratch();
  makeNarrowedHeaders(scratch, headers);
  const nodePrefix = dirname(dirname(process.execPath));
  const hasNodeHeaders = existsSync(join(nodePrefix, 'include', 'node', 'node.h'));
  const common = join(scratch, 'common.h');
  writeFileSync(common, COMMON_HEADERS.map((name) => `#include <${name}>\n`).join(''));
  // The binding only passes calls on: unoptimised it is as fast, and compiles sooner.
  const flags = '-O0 -g0 -w';
  const env = {
    ...process.env,
    OPENCV4NODEJS_DISABLE_AUTOBUILD: '1',
    OPENCV_INCLUDE_DIR: scratch,
    JOBS: `${availableParallelism()}`,
    CXXFLAGS: flags,
    // Link only the libraries that are called, not every OpenCV library that is found.
    ...(process.platform === 'linux' ? { LDFLAGS: '-Wl,--as-needed' } : {}),
    // Node's own headers instead of a download, if they came with it.
    ...(hasNodeHeaders ? { npm_config_nodedir: nodePrefix } : {}),
  };
  const title = 'compiling the OpenCV binding';
  const nodeGyp = createRequire(join(binding, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
  const options = { log, cwd: join(scratch, 'binding') };
  await runLogged(title, process.execPath, [nodeGyp, 'configure'], { ...options, env });
  await precompile(common, { ...options, env });
  await runLogged(title, process.execPath, [nodeGyp, 'build'], {
    ...options,
    env: { ...env, CXXFLAGS: `${flags} -include ${common}` },
  });
  copyWhole(join(scratch, 'binding', BUILT_ADDON), addon);
  rmSync(scratch, { recursive: true });
}

/**
 * Makes a directory for the build, with a copy of the binding. The binding's build file and make cannot
 * handle a space in a path, and this project may be in a directory with one.
 *
 * @returns {string}
 */
function makeScratch() {
  const scratch = mkdtempSync(join(tmpdir(), 'facecast-opencv-'));
  const built = join(binding, 'build');
  cpSync(binding, join(scratch, 'binding'), { recursive: true, filter: (path) => path !== built });
  const packages = join(root, 'node_modules');
  mkdirSync(join(scratch, 'node_modules'));
  for (const name of readdirSync(packages))
    if (name !== 'nan') symlinkSync(join(packages, name), join(scratch, 'node_modules', name));
  // The only package whose path the compiler is given.
  cpSync(join(packages, 'nan'), join(scratch, 'node_modules', 'nan'), { recursive: true });
  return scratch;
}

/**
 * Precompiles a header with exactly the flags of the binding's own files: a script in the compiler's place
 * receives them. If that fails, each file reads the header itself.
 *
 * @param {string} header
 * @param {{ log: string, cwd: string, env: NodeJS.ProcessEnv }} options
 */
async function precompile(header, options) {
  const compiler = `${header}.sh`;
  // The first three arguments are `-o`, the object and the source.
  writeFileSync(compiler, `shift 3; exec g++ -x c++-header -o '${header}.gch' '${header}' "$@"\n`);
  const make = ['-C', 'build', 'BUILDTYPE=Release', `CXX=sh ${compiler}`];
  const object = 'Release/obj.target/opencv4nodejs/cc/ExternalMemTracking.o';
  await runLogged('make', 'make', [...make, object], options).catch(() => {});
}

/**
 * Makes a directory of OpenCV's headers whose list of modules names only the needed ones. The binding
 * compiles what that list names, and a distribution's list names every module.
 *
 * @param {string} scratch
 * @param {string} headers
 */
function makeNarrowedHeaders(scratch, headers) {
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
