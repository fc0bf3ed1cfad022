import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setupOrExit } from './setup.mjs';
import { root } from './setup/paths.mjs';
import { findBrowser } from './setup/system-packages.mjs';

/** `npm run bench -- [NAME…]`: measures the system as it runs on this machine and prints tables. */
await setupOrExit({ browser: true, benchmarks: true });
run([join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--build', 'tests']);
run([join(root, 'tests', 'dist', 'bench', 'main.js'), ...process.argv.slice(2)]);

/** @param {string[]} args */
function run(args) {
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      CHROMIUM: process.env['CHROMIUM'] ?? findBrowser(),
      FACECAST_SET_UP: '1',
    },
  });
  if (status !== 0) process.exit(status ?? 1);
}
