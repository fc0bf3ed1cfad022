import { pathToFileURL } from 'node:url';
import { ensureBuilt } from './setup/build.mjs';
import { ensureNpmPackages } from './setup/npm-packages.mjs';
import { ensureOpenCvAddon } from './setup/opencv-addon.mjs';
import { SetupError } from './setup/run-program.mjs';
import { ensureSystemPackages } from './setup/system-packages.mjs';
import { ensureYunetModel } from './setup/yunet-model.mjs';

/**
 * Makes a clone ready to run: installs what is missing and builds what is stale. Each step first checks
 * whether it has anything to do; if none has, all of it takes a second or two.
 *
 * Runs before anything is installed, so it and everything it imports uses Node's own modules only.
 *
 * @param {{ browser?: boolean, benchmarks?: boolean }} [options] `browser`: also what only the tests need;
 *   `benchmarks`: also what only the benchmarks need
 * @throws {import('./setup/run-program.mjs').SetupError} whose message tells a person what to do
 */
export async function setup({ browser = false, benchmarks = false } = {}) {
  await ensureSystemPackages({ browser, benchmarks });
  await ensureNpmPackages();
  await ensureOpenCvAddon();
  await ensureYunetModel();
  await ensureBuilt();
}

/**
 * `setup` for a command-line program: prints a failure in plain words and exits.
 *
 * @param {Parameters<typeof setup>[0]} [options]
 */
export async function setupOrExit(options) {
  try {
    await setup(options);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await setupOrExit({ browser: process.argv.includes('--browser') });
