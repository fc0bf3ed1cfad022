import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { confined } from './confinement.js';

/** How a child process ended. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Whether `close` was called, so that it did not die by itself. */
  closedByUs: boolean;
  /** The last lines it wrote to stderr, oldest first. */
  lastLines: string[];
}

/** Number of lines of stderr that are kept for the log. */
const KEPT_LINES = 20;
const MAX_LINE = 500;

/**
 * A child program that is fed through its stdin and read through its stdout. It is confined (see
 * `confined`), because its input comes from strangers.
 *
 * `exited` resolves exactly once, even if the program cannot be started; it never rejects.
 */
export class OwnedProcess {
  readonly exited: Promise<ProcessExit>;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lastLines: string[] = [];
  private closing = false;
  private ended = false;

  /**
   * @param options.notes whether it writes to file descriptor 3, which is then `notes`
   * @param options.stdout a socket that it writes to instead of a pipe
   */
  constructor(
    command: string,
    args: readonly string[],
    { notes = false, stdout = 'pipe' }: { notes?: boolean; stdout?: Socket | 'pipe' } = {},
  ) {
    const { env, ...program } = confined(command, args);
    this.child = spawn(program.command, program.args, {
      env,
      stdio: ['pipe', stdout, 'pipe', notes ? 'pipe' : 'ignore'],
      // The declared type does not cover stdio that is no pipe.
    }) as ChildProcessWithoutNullStreams;
    // After a broken pipe, `exited` says that the process is gone, and why.
    this.child.stdin.on('error', () => {});
    this.collectLines(this.child.stderr);
    this.exited = new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null) => {
        this.ended = true;
        resolve({ code, signal, closedByUs: this.closing, lastLines: this.lastLines });
      };
      this.child.on('error', (error) => {
        this.keepLine(error.message);
        if (this.child.pid === undefined) finish(null, null);
      });
      this.child.on('close', finish);
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get stdout(): Readable {
    return this.child.stdout;
  }

  /** What it writes to file descriptor 3. `exited` waits until this is read to its end or destroyed. */
  get notes(): Readable {
    return this.child.stdio[3] as Readable;
  }

  /** Writes to stdin. Resolves when the process takes more, or is gone. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.ended || this.child.stdin.writableEnded || this.child.stdin.destroyed) return;
    if (this.child.stdin.write(bytes)) return;
    const settled = new AbortController();
    const { signal } = settled;
    // A race with `exited` itself would keep every wait in memory until the process ends.
    const room = once(this.child.stdin, 'drain', { signal });
    const gone = once(this.child, 'close', { signal });
    await Promise.race([room, gone]).catch(() => {});
    settled.abort();
  }

  /** Closes stdin, so that the program finishes and exits. */
  endInput(): void {
    if (!this.child.stdin.destroyed) this.child.stdin.end();
  }

  /** Kills the process at once. May be called again, and after its end. */
  async close(): Promise<ProcessExit> {
    this.closing = true;
    if (!this.ended) this.child.kill('SIGKILL');
    return this.exited;
  }

  private collectLines(stream: Readable): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (rest + text).split(/[\r\n]+/);
      rest = (lines.pop() ?? '').slice(-MAX_LINE);
      lines.forEach((line) => this.keepLine(line));
    });
    stream.on('end', () => this.keepLine(rest));
  }

  private keepLine(line: string): void {
    if (line.trim() === '') return;
    this.lastLines.push(line.slice(0, MAX_LINE));
    if (this.lastLines.length > KEPT_LINES) this.lastLines.shift();
  }
}
