import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { runLogged, timed, withLogFile } from './run-program.mjs';

const services = ['gateway', 'frame-extractor', 'face-detector', 'segmenter'];
/** Files of web/ that builds write. */
const BUILT = /[/\\](dist|dist-types|node_modules)[/\\]|\.tsbuildinfo$/;
const page = join(root, 'web', 'dist', 'index.html');

/** Compiles the services and the page, each only if something changed since the last time. */
export async function ensureBuilt() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const projects = services.map((name) => join('services', name));
  const args = [compiler, '--build', ...projects];
  await withLogFile('tsc', (log) =>
    timed('compiling the services', () =>
      runLogged('tsc', process.execPath, args, { log, cwd: root }),
    ),
  );
  if (existsSync(page) && statSync(page).mtimeMs > newestPageSource()) return;
  await withLogFile('vite', (log) =>
    timed('building the page', () =>
      runLogged('vite build', 'npm', ['run', 'build', '--workspace', 'web'], { log, cwd: root }),
    ),
  );
}

/** When a source of the page was last changed, in ms since 1970. */
function newestPageSource() {
  const web = readdirSync(join(root, 'web'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !BUILT.test(file.slice(root.length)));
  return Math.max(
    ...[...web, join(root, 'package-lock.json')].map((file) => statSync(file).mtimeMs),
  );
}
