import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setupOrExit } from './setup.mjs';
import { root } from './setup/paths.mjs';
import { readSlowOptions, USAGE } from './slow/options.mjs';
import { addRun, tableOf } from './slow/summary.mjs';

/**
 * `npm run test:slow`: runs the tests on a machine that is made slow. `taskset` limits the CPUs of all that
 * the tests start, and of what asks how many there are.
 */
const options = optionsOrExit();
await setupOrExit({ browser: true });
const cpus = firstCpus(options.cores ?? availableParallelism());
const loops = options.busy ? cpus.map(busyLoop) : [];
const directory = await mkdtemp(join(tmpdir(), 'facecast-slow-'));
/** @type {Map<string, import('./slow/summary.mjs').TestSummary>} */
const tests = new Map();
let failedRuns = 0;
try {
  const began = performance.now();
  for (let run = 1; run <= options.runs; run++) {
    if (performance.now() - began > options.seconds * 1000) break;
    const report = join(directory, `${run}.json`);
    const startedAt = performance.now();
    const code = await runTests(report);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const failed = addRun(tests, JSON.parse(await readFile(report, 'utf8')));
    // For instance because no file matches the filter, or the tests could not begin.
    if (code !== 0 && failed.length === 0) failed.push(`npm test ended with ${code}`);
    if (failed.length > 0) failedRuns++;
    const result = failed.length === 0 ? 'green' : `red: ${failed.join('; ')}`;
    console.log(`run ${run} of ${options.runs}: ${seconds} s, ${result}`);
  }
} finally {
  loops.forEach((loop) => loop.kill('SIGKILL'));
  await rm(directory, { recursive: true, force: true });
}
for (const line of tableOf(tests, options.table)) console.log(line);
process.exit(failedRuns === 0 ? 0 : 1);

/**
 * @param {string} report the file that Vitest writes the results to
 * @returns {Promise<number>} the exit code
 */
async function runTests(report) {
  const child = spawn(
    'taskset',
    [
      ...['-c', cpus.join(','), process.execPath, join(root, 'scripts', 'test.mjs')],
      ...['--reporter=default', '--reporter=json', `--outputFile=${report}`, ...options.filters],
    ],
    { cwd: root, stdio: 'inherit' },
  );
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.once(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

/** @param {number} cpu */
function busyLoop(cpu) {
  return spawn('taskset', ['-c', String(cpu), 'sh', '-c', 'while :; do :; done'], {
    stdio: 'ignore',
  });
}

/**
 * The first CPUs of those that this process may use.
 *
 * @param {number} count
 */
function firstCpus(count) {
  const { stdout, status } = spawnSync('taskset', ['-cp', String(process.pid)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error('taskset (util-linux) is needed for this, and is not there');
  const list = stdout.slice(stdout.lastIndexOf(':') + 1).trim();
  const allowed = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
  return allowed.slice(0, count);
}

function optionsOrExit() {
  try {
    return readSlowOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
