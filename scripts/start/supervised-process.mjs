import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

/** Exit code for unusable settings, after which a restart would not help (`shared/src/runtime/config.ts`). */
const EXIT_BAD_CONFIG = 78;
/** After more deaths than this within the window, a process is not started again. */
const MAX_DEATHS = 5;
/**
 * A death after this time, in milliseconds, was an accident and does not count, even if it happens every 5
 * s.
 */
const LONG_LIFE_MS = 2_500;
const DEATH_WINDOW_MS = 30_000;
const FIRST_RESTART_DELAY_MS = 200;
const MAX_RESTART_DELAY_MS = 5_000;
const STOP_GRACE_MS = 10_000;
/** Number of lines of output that are kept to explain a death. */
const KEPT_LINES = 20;

/**
 * @typedef {object} ProcessOptions
 * @property {string} name
 * @property {string} program
 * @property {string[]} args
 * @property {NodeJS.ProcessEnv} env
 * @property {boolean} [channel] whether it gets an IPC channel, whose end tells it that this process died
 * @property {number} [stopGraceMs] time from SIGTERM to SIGKILL
 * @property {number} [longLifeMs] how long it must live for its death to be an accident
 * @property {(name: string, line: string) => void} onLine one line of its output
 * @property {(reason: string) => void} onGivenUp it is down and stays down; called at most once
 */

/**
 * A program that is kept running until `stop`. It has a process group of its own: a Ctrl-C in the terminal
 * does not reach it, and nothing that it started outlives it.
 */
export class SupervisedProcess {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  /** @type {Promise<void>} */
  #gone = Promise.resolve();
  /** @type {NodeJS.Timeout | undefined} */
  #restart;
  /** Whether it was told to stop, and so is not started again. */
  #ending = false;
  #stopped = false;
  /** @type {number[]} when it died, in ms since the process began */
  #deaths = [];
  #bornAt = 0;
  /** @type {string[]} */
  #lastLines = [];

  /** @param {ProcessOptions} options */
  constructor(options) {
    this.options = options;
    this.#spawn();
  }

  /** Stops it: SIGTERM, and after the grace SIGKILL. Resolves when the whole process group is gone. */
  async stop() {
    this.#stopped = true;
    await this.#end();
  }

  /** Stops it and starts it again, unless `stop` is called meanwhile. */
  async restart() {
    await this.#end();
    if (this.#stopped) return;
    this.#ending = false;
    this.#deaths = [];
    this.#spawn();
  }

  async #end() {
    this.#ending = true;
    clearTimeout(this.#restart);
    this.#child?.kill('SIGTERM');
    const impatience = setTimeout(
      () => this.#killGroup(),
      this.options.stopGraceMs ?? STOP_GRACE_MS,
    );
    await this.#gone;
    clearTimeout(impatience);
  }

  #spawn() {
    const { program, args, env, channel = false } = this.options;
    const child = spawn(program, args, {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', ...(channel ? /** @type {const} */ (['ipc']) : [])],
    });
    this.#child = child;
    this.#bornAt = performance.now();
    this.#lastLines = [];
    for (const output of [child.stdout, child.stderr])
      if (output !== null)
        createInterface({ input: output }).on('line', (line) => this.#keepLine(line));
    this.#gone = this.#watch(child);
  }

  /** @param {import('node:child_process').ChildProcess} child */
  async #watch(child) {
    const exit = once(child, 'exit');
    if (child.pid === undefined) {
      const error = await exit.catch((reason) => reason);
      return this.options.onGivenUp(`${this.options.name} cannot be started: ${error.message}`);
    }
    const [code, signal] = await exit;
    this.#killGroup();
    if (this.#ending) return;
    // Its last lines may still be in the pipe.
    if (child.stdout !== null && !child.stdout.closed) await once(child.stdout, 'close');
    if (child.stderr !== null && !child.stderr.closed) await once(child.stderr, 'close');
    if (!this.#ending) this.#startAgain(code, signal);
  }

  /**
   * @param {number | null} code
   * @param {string | null} signal
   */
  #startAgain(code, signal) {
    const { name, onLine, onGivenUp, longLifeMs = LONG_LIFE_MS } = this.options;
    const words = this.#lastLines.map((line) => `  ${line}`).join('\n');
    if (code === EXIT_BAD_CONFIG) return onGivenUp(`${name} refuses its settings:\n${words}`);
    const now = performance.now();
    if (now - this.#bornAt > longLifeMs) this.#deaths = [];
    this.#deaths = [...this.#deaths.filter((at) => now - at < DEATH_WINDOW_MS), now];
    const how = signal ?? `exit ${code}`;
    if (this.#deaths.length > MAX_DEATHS)
      return onGivenUp(`${name} does not stay up (${how}). Its last lines:\n${words}`);
    const delay = Math.min(
      FIRST_RESTART_DELAY_MS * 2 ** (this.#deaths.length - 1),
      MAX_RESTART_DELAY_MS,
    );
    onLine(name, `died (${how}), starting again in ${delay} ms`);
    this.#restart = setTimeout(() => this.#spawn(), delay);
  }

  #killGroup() {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // No process is left in the group.
    }
  }

  /** @param {string} line */
  #keepLine(line) {
    this.#lastLines.push(line);
    if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
    this.options.onLine(this.options.name, line);
  }
}
