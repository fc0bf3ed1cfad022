import { setupOrExit } from './setup.mjs';
import { readStartConfig } from './start/config.mjs';
import { FatalError } from './start/fatal-error.mjs';
import { readOptions } from './start/start-options.mjs';
import { runSystem } from './start/system.mjs';

/** `npm start`: everything on this machine, from nothing installed to Ctrl-C. */
async function start() {
  const options = readOptions(process.argv.slice(2));
  const config = readStartConfig();
  // A program that starts many systems runs the setup once itself.
  if (process.env['FACECAST_SET_UP'] !== '1') await setupOrExit();
  const stop = new AbortController();
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => stop.abort());
  await runSystem(config, options, stop.signal);
}

try {
  await start();
} catch (error) {
  console.error(error instanceof FatalError ? error.message : error);
  process.exitCode = 1;
}
