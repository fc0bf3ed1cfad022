import { createReadStream } from 'node:fs';
import { readlink, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { capture } from './stream.mjs';
import { withoutSecrets } from './words.mjs';

/** Schemes of addresses of live sources, which have no end. */
const LIVE = ['rtsp', 'rtsps', 'rtmp', 'rtmps', 'srt'];
/** Schemes of addresses of a file or a playlist. */
const WEB = ['http', 'https'];
/** If a web server breaks off, ffmpeg asks it for the rest, for up to 30 s. */
const RECONNECTING = ['-reconnect', '1', '-reconnect_streamed', '1', '-reconnect_delay_max', '30'];
/** RTSP over TCP, because over UDP a camera's packets get lost. */
const OVER_TCP = ['-rtsp_transport', 'tcp'];
/** A stream comes on standard input, and may name no other file or address. */
const HANDED_IN = ['-protocol_whitelist', 'pipe', '-i', 'pipe:0'];

/**
 * Where media comes from.
 *
 * @typedef {object} Input
 * @property {string} label its name as it may be shown: without a password
 * @property {boolean} isFile whether it is on this computer and can be read again and again
 * @property {boolean} isLive whether it has no end, and is to be opened again when it breaks off
 * @property {string[]} args of ffmpeg and ffprobe
 * @property {(() => import('./stream.mjs').Origin) | undefined} open set if it can be read only once, on
 *   their standard input
 */

/**
 * The input that a name on the command line stands for: `-` is standard input, an address with a known
 * scheme is that address, and anything else is a file.
 *
 * @param {string} name
 * @returns {Promise<Input>}
 * @throws {Error} with a sentence if there is no such file
 */
export async function inputOf(name) {
  if (name === '-') return standardInput();
  const scheme = /^([a-z]+):\/\//i.exec(name)?.[1]?.toLowerCase() ?? '';
  const label = withoutSecrets(name);
  if (LIVE.includes(scheme)) {
    const transport = scheme.startsWith('rtsp') ? OVER_TCP : [];
    return { ...handedIn(label, () => capture([...transport, '-i', name])), isLive: true };
  }
  if (WEB.includes(scheme)) {
    const args = [...RECONNECTING, '-i', name];
    return { label, isFile: false, isLive: false, args, open: undefined };
  }
  const path = resolve(name);
  const found = await stat(path).catch(() => undefined);
  if (!found || found.isDirectory()) throw new Error(`${name}: there is no such file`);
  if (!found.isFIFO()) return file(name, path);
  return { ...handedIn(name, () => read(createReadStream(path))), isLive: false };
}

/** @returns {Promise<Input>} */
async function standardInput() {
  const label = 'Standard input';
  // A file that a shell opened can be read again from its beginning, and searched.
  const path = await readlink('/proc/self/fd/0').catch(() => '');
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return file(label, path);
  return { ...handedIn(label, () => read(process.stdin)), isLive: false };
}

/** @param {string} label @param {string} path @returns {Input} */
function file(label, path) {
  // The file may name other files, as playlists do, but no address.
  const args = ['-protocol_whitelist', 'file,crypto,data', '-i', `file:${path}`];
  return { label, isFile: true, isLive: false, args, open: undefined };
}

/** @param {string} label @param {() => import('./stream.mjs').Origin} open */
function handedIn(label, open) {
  return { label, isFile: false, args: HANDED_IN, open };
}

/** @param {import('node:stream').Readable} bytes @returns {import('./stream.mjs').Origin} */
function read(bytes) {
  return { bytes, failure: Promise.resolve(''), stop: () => void bytes.destroy() };
}
