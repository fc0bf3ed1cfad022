import { once } from 'node:events';
import { WebSocket } from 'ws';

/** Bytes are gathered for this long, in milliseconds, before they are sent as one message. */
const MESSAGE_MS = 100;
/** Longest message that every server accepts (`SAFE_MESSAGE_BYTES` of the ingest protocol). */
const MAX_MESSAGE_BYTES = 256 * 1024;
/** While the socket holds more unsent bytes than this, the file is not read on. */
const MAX_BUFFERED_BYTES = 1_000_000;
/** How long the server may take to answer `start`, and then to finish after `stop`, in milliseconds. */
const MAX_START_MS = 10_000;
const MAX_END_MS = 60_000;
/** How long a printed link is valid, in seconds. */
const LINK_SECONDS = 86_400;

/**
 * Publishes media over the ingest protocol, as a browser publishes a camera. Reports on the terminal until
 * the session has ended.
 *
 * @param {AsyncGenerator<import('./media.mjs').Media, void, undefined>} streams one input stream after
 *   another
 * @param {import('./status-line.mjs').StatusLine} status
 * @param {{ url: string, effect: string, record: boolean, private: boolean, token?: string | undefined }}
 *   where
 * @throws {Error} with the server's sentence if it refuses, or ffmpeg's
 */
export async function publish(streams, status, where) {
  const { value: first } = await streams.next();
  if (!first) return;
  status.print(first.found);
  const { url, effect, record, private: isPrivate, token } = where;
  const socket = new WebSocket(url);
  const ended = untilEnded(socket, status, { url, record, private: isPrivate });
  try {
    await Promise.race([once(socket, 'open'), ended]);
    const visibility = isPrivate ? 'private' : 'unlisted';
    const start = { type: 'start', mimeType: first.mimeType, effect, record, visibility, token };
    send(socket, start);
    await within(MAX_START_MS, 'The server does not answer.', [untilStarted(socket), ended]);
    await Promise.race([sendAll(first.bytes, socket), ended]);
    for await (const { found, mimeType, bytes } of streams) {
      status.print(found);
      send(socket, { type: 'restart', mimeType });
      await Promise.race([sendAll(bytes, socket), ended]);
    }
    send(socket, { type: 'stop' });
    await within(MAX_END_MS, 'The server does not end the session.', [ended]);
  } finally {
    socket.terminate();
    await streams.return();
  }
}

/** @param {WebSocket} socket @param {object} message */
function send(socket, message) {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

/** @param {WebSocket} socket */
function untilStarted(socket) {
  return new Promise((resolve) => {
    socket.on('message', (data, isBinary) => {
      if (!isBinary && JSON.parse(String(data)).type === 'started') resolve(undefined);
    });
  });
}

/**
 * Reports each message of the server. Resolves at `ended`; rejects at `error`, or if the connection is
 * lost.
 *
 * @param {WebSocket} socket
 * @param {import('./status-line.mjs').StatusLine} status
 * @param {{ url: string, record: boolean, private: boolean }} where
 * @returns {Promise<void>}
 */
function untilEnded(socket, status, { url, record, private: isPrivate }) {
  const page = url.replace(/^ws/, 'http');
  let acked = 0;
  /** @type {{ sessionId: string, resumeToken: string } | undefined} */
  let started;
  return new Promise((resolve, reject) => {
    socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      const message = JSON.parse(String(data));
      if (message.type === 'started') started = message;
      if (message.type === 'ack' && acked === 0 && isPrivate && started) {
        // The server knows a session from its first media on.
        printLink((line) => status.print(line), page, started).catch(reject);
      }
      if (message.type === 'started') {
        status.print(`watch ${new URL(message.watchUrl, page)}`);
        if (record || message.recording) status.print(describeRecording(message.recording, page));
      }
      if (message.type === 'ack') acked = message.chunks;
      if (message.type === 'playlist_ready')
        status.print(`playlist_ready ${new URL(message.playlistUrl, page)}`);
      if (message.type === 'stats') status.update(describe(message, acked));
      if (message.type === 'error') reject(new Error(message.message));
      if (message.type === 'ended') {
        status.print(`ended ${message.frames} frames`);
        resolve();
      }
    });
    socket.on('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      reject(new Error(`${url}: ${error.message || error.code}`)),
    );
    socket.on('close', (code) => reject(new Error(`The server closed the connection (${code}).`)));
  });
}

/**
 * Makes a viewing link to a private session, and prints it.
 *
 * @param {(line: string) => void} print
 * @param {string} page
 * @param {{ sessionId: string, resumeToken: string }} session
 */
async function printLink(print, page, { sessionId, resumeToken }) {
  const response = await fetch(new URL(`/api/sessions/${sessionId}/links`, page), {
    method: 'POST',
    headers: { authorization: `Bearer ${resumeToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ expiresIn: LINK_SECONDS }),
  });
  const answer = /** @type {any} */ (await response.json());
  if (!response.ok) throw new Error(answer.error.message);
  print(`link ${answer.url}`);
  print(`player link ${answer.playlistUrl}`);
}

/**
 * @param {{ url: string, keptHours: number } | undefined} recording
 * @param {string} page
 */
function describeRecording(recording, page) {
  if (!recording) return 'This server keeps no recordings.';
  return `recording ${new URL(recording.url, page)} kept for ${recording.keptHours} hours`;
}

/**
 * @param {any} stats
 * @param {number} acked
 */
function describe(stats, acked) {
  return [
    stats.state,
    `${stats.width}x${stats.height}`,
    `${acked} chunks acknowledged`,
    `${stats.framesOut} of ${stats.framesIn} frames out`,
    `${stats.faces} faces`,
    `${Math.round(stats.pipelineMs)} ms`,
    `${stats.viewers} viewers`,
  ].join(', ');
}

/**
 * Sends a stream in messages of about a tenth of a second, no faster than the socket accepts them.
 *
 * @param {import('node:stream').Readable} bytes
 * @param {WebSocket} socket
 * @returns {Promise<void>} resolves when the last byte is in the socket
 */
async function sendAll(bytes, socket) {
  /** @type {Buffer[]} */
  const gathered = [];
  const send = () => {
    const due = Buffer.concat(gathered.splice(0));
    for (
      let at = 0;
      at < due.length && socket.readyState === WebSocket.OPEN;
      at += MAX_MESSAGE_BYTES
    )
      socket.send(due.subarray(at, at + MAX_MESSAGE_BYTES), () => bytes.resume());
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) bytes.pause();
  };
  const timer = setInterval(send, MESSAGE_MS);
  bytes.on('data', (chunk) => gathered.push(chunk));
  await once(bytes, 'end');
  clearInterval(timer);
  send();
}

/**
 * @param {number} ms
 * @param {string} complaint
 * @param {Promise<unknown>[]} promises
 */
async function within(ms, complaint, promises) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), ms);
  });
  try {
    await Promise.race([...promises, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
