import { performance } from 'node:perf_hooks';
import { spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Number of lines of a program's log that are shown when it fails. */
const FAILURE_LINES = 20;

/** A step of the setup that failed; its message is all that a person needs to see. */
export class SetupError extends Error {}

/**
 * Runs a program with its output in a log file. A failure shows the log's last lines.
 *
 * @param {string} title what it does, for the failure message
 * @param {string} program
 * @param {string[]} args
 * @param {{ log: string, cwd?: string | undefined, env?: NodeJS.ProcessEnv | undefined }} options
 * @returns {Promise<void>}
 * @throws {SetupError}
 */
export async function runLogged(title, program, args, { log, cwd, env }) {
  const output = openSync(log, 'a');
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', output, output] });
  closeSync(output);
  /** @type {string} */
  const failure = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? '' : `${signal ?? `exit ${code}`}`));
  });
  if (failure === '') return;
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-FAILURE_LINES);
  throw new SetupError(
    [...lines, `${title} failed (${failure}); its whole output: ${log}`].join('\n'),
  );
}

/**
 * Gives some work a log file that no other run writes to. The file stays if the work fails.
 *
 * @param {string} name
 * @param {(log: string) => Promise<void>} work
 */
export async function withLogFile(name, work) {
  const directory = mkdtempSync(join(tmpdir(), 'facecast-setup-'));
  await work(join(directory, `${name}.log`));
  rmSync(directory, { recursive: true });
}

/**
 * The path of a program on the PATH.
 *
 * @param {string} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** @param {string} name */
export function hasProgram(name) {
  return findProgram(name) !== undefined;
}

/**
 * Runs a step; prints what it does, and how long it took.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} step
 * @returns {Promise<T>}
 */
export async function timed(title, step) {
  const started = performance.now();
  process.stdout.write(`${title} ...`);
  try {
    const result = await step();
    process.stdout.write(` ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stdout.write(' failed\n');
    throw error;
  }
}
