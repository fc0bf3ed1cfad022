import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setupOrExit } from './setup.mjs';
import { root } from './setup/paths.mjs';
import { findBrowser } from './setup/system-packages.mjs';

/** `npm test`: installs what is missing and runs every test that this machine can run. */
await setupOrExit({ browser: true });

const noDocker = whyNoDocker();
if (noDocker !== undefined) console.log(`The container tests are skipped: ${noDocker}.`);
const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      CHROMIUM: process.env['CHROMIUM'] ?? findBrowser(),
      FACECAST_SET_UP: '1',
      ...(noDocker === undefined ? { FACECAST_DOCKER: '1' } : {}),
    },
  },
);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.on(signal, () => vitest.kill(signal));
vitest.on('exit', (code) => process.exit(code ?? 1));

/** @returns {string | undefined} undefined if there is an engine with Compose */
function whyNoDocker() {
  if (!succeeds('docker', ['info'])) return 'no Docker engine answers `docker info`';
  if (!succeeds('docker', ['compose', 'version'])) return 'Docker Compose is not installed';
  return undefined;
}

/**
 * @param {string} program
 * @param {string[]} args
 */
function succeeds(program, args) {
  return spawnSync(program, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}
