import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { reason } from './words.mjs';

/** Maximum number of bytes of a stream's head that are kept, to be probed before the stream is read. */
const MAX_HEAD_BYTES = 16 * 1024 * 1024;
/** A live source that is silent for longer, in milliseconds, is lost. */
const STALL_MS = 15_000;
/** Characters of ffmpeg's log that are kept to explain a failure. */
const KEPT_CHARACTERS = 2_000;

/**
 * Where a stream comes from.
 *
 * @typedef {object} Origin
 * @property {import('node:stream').Readable} bytes
 * @property {Promise<string>} failure resolves at the end to what went wrong; empty if nothing did
 * @property {() => void} stop
 */

/** A stream whose head can be read several times before all of it is read once. */
export class HeadedStream {
  /** @param {import('node:stream').Readable} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    /** @type {Buffer[]} */
    this.head = [];
    this.headBytes = 0;
  }

  /**
   * Feeds a process with the stream from its beginning, until the process closes its input.
   *
   * @param {import('node:child_process').ChildProcess} child
   */
  async show({ stdin, exitCode }) {
    if (!stdin || exitCode !== null) return;
    const closed = new AbortController();
    stdin.on('error', () => closed.abort()).on('close', () => closed.abort());
    for (const chunk of this.head) stdin.write(chunk);
    while (!closed.signal.aborted && this.headBytes < MAX_HEAD_BYTES) {
      const chunk = await this.#next(closed.signal);
      if (chunk === undefined) break;
      this.head.push(chunk);
      this.headBytes += chunk.length;
      stdin.write(chunk);
    }
    stdin.end();
  }

  /** Whether an MP4 has its index before its media: otherwise it cannot be read in one go. */
  beginsWithIndex() {
    const head = Buffer.concat(this.head);
    const [index, media] = ['moov', 'mdat'].map((type) => head.indexOf(type));
    return index !== undefined && media !== undefined && index >= 0 && (media < 0 || index < media);
  }

  /**
   * Feeds a process with the whole stream; it can be read only this once.
   *
   * @param {import('node:stream').Writable} stdin
   */
  pour(stdin) {
    stdin.on('error', () => this.bytes.unpipe(stdin).resume());
    for (const chunk of this.head.splice(0)) stdin.write(chunk);
    if (this.bytes.readableEnded || this.bytes.destroyed) stdin.end();
    else this.bytes.pipe(stdin);
  }

  /** @param {AbortSignal} signal @returns {Promise<Buffer | undefined>} undefined at the end */
  async #next(signal) {
    for (;;) {
      const chunk = this.bytes.read();
      if (chunk !== null) return chunk;
      if (this.bytes.readableEnded || this.bytes.destroyed) return undefined;
      const settled = new AbortController();
      const until = { signal: AbortSignal.any([signal, settled.signal]) };
      const events = ['readable', 'end', 'close'].map((name) => once(this.bytes, name, until));
      await Promise.race(events).catch(() => undefined);
      settled.abort();
      await Promise.allSettled(events);
      if (signal.aborted) return undefined;
    }
  }
}

/**
 * Copies the video and audio of a live source.
 *
 * @param {string[]} args for ffmpeg, which name it
 * @returns {Origin}
 */
export function capture(args) {
  const streams = ['-map', '0:v?', '-map', '0:a?', '-c', 'copy'];
  // NUT holds any codec, and its muxer holds nothing back.
  const output = [...streams, '-f', 'nut', '-flush_packets', '1', 'pipe:1'];
  const ffmpeg = runFfmpeg([...args, ...output], 'ignore');
  const bytes = new PassThrough();
  const stalled = setTimeout(() => ffmpeg.child.kill('SIGKILL'), STALL_MS);
  ffmpeg.child.stdout?.on('data', () => stalled.refresh()).pipe(bytes);
  const failure = ffmpeg.failure.then((words) => {
    clearTimeout(stalled);
    return words;
  });
  return { bytes, failure, stop: ffmpeg.stop };
}

/**
 * @param {string[]} args
 * @param {'ignore' | 'pipe'} stdin
 */
export function runFfmpeg(args, stdin) {
  const quiet = ['-hide_banner', '-loglevel', 'error', '-nostdin'];
  // A process group of its own: a Ctrl-C in the terminal is for this process, which ends ffmpeg in order.
  const child = spawn('ffmpeg', [...quiet, ...args], {
    stdio: [stdin, 'pipe', 'pipe'],
    detached: true,
  });
  let isStopped = false;
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    words = (words + text).slice(-KEPT_CHARACTERS);
  });
  /** @type {Promise<string>} */
  const failure = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      const why = reason(words) || `it gave nothing more (${signal ?? code})`;
      resolve(code === 0 || isStopped ? '' : why);
    });
  });
  const stop = () => {
    isStopped = true;
    child.kill('SIGTERM');
  };
  return { child, failure, stop };
}
