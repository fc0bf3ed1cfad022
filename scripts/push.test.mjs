import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

const PUSH = fileURLToPath(new URL('push.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'facecast-push-'));
const clip = join(directory, 'clip.mkv');
/** @type {WebSocketServer} */
let server;
/** What the server received: messages, and the bytes of media. @type {any[]} */
let heard;

beforeAll(() => {
  const inputs = ['testsrc2=size=64x48:rate=30:duration=0.5', 'sine=440:duration=0.5'];
  const encoding = ['-c:v', 'libx264', '-bf', '0', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  const args = inputs.flatMap((input) => ['-f', 'lavfi', '-i', input]);
  execFileSync('ffmpeg', ['-v', 'error', ...args, ...encoding, clip]);
});
afterAll(() => rmSync(directory, { recursive: true }));

beforeEach(async () => {
  heard = [];
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    const say = (/** @type {object} */ message) => socket.send(JSON.stringify(message));
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? data : JSON.parse(String(data));
      heard.push(message);
      if (message.type === 'start') say({ type: 'started', sessionId: 's', watchUrl: '/watch/s' });
      if (message.type === 'stop') say({ type: 'ended', frames: 15 });
    });
  });
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** Runs `npm run push` to its end. @type {(args: string[], stdin?: import('node:stream').Readable) => Promise<any>} */
async function push(args, stdin) {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const where = ['--url', `ws://127.0.0.1:${port}/ingest`];
  const child = spawn('node', [PUSH, ...where, ...args], { cwd: directory });
  if (stdin) stdin.pipe(child.stdin);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { out, err, code };
}

/** Number of video frames that the server received. */
function framesHeard() {
  const count = [
    '-count_packets',
    '-select_streams',
    'v',
    '-show_entries',
    'stream=nb_read_packets',
  ];
  const input = Buffer.concat(heard.filter((each) => Buffer.isBuffer(each)));
  return Number(
    execFileSync('ffprobe', ['-v', 'error', ...count, '-of', 'csv=p=0', 'pipe:0'], { input }),
  );
}

describe('the name of a file is taken for no address or option:', () => {
  test.each(['a:b.mkv', '-i.mkv', 'file:x', 'concat:a|b', 'http:x', '%03d.mkv', "it's.mkv"])(
    '%s',
    async (name) => {
      execFileSync('cp', [clip, join(directory, name)]);
      const { out, err, code } = await push([name]);
      expect([err, code]).toEqual(['', 0]);
      expect(out).toContain('video h264 64x48, audio aac; sent as h264, opus');
      expect(framesHeard()).toBe(15);
    },
  );
});

test('standard input is published to its end', async () => {
  const { out, err, code } = await push(['-'], createReadStream(clip));
  expect([err, code]).toEqual(['', 0]);
  expect(out).toContain('Standard input: video h264 64x48, audio aac');
  expect(framesHeard()).toBe(15);
  expect(heard.at(-1)).toEqual({ type: 'stop' });
});

test('an MP4 from a pipe, with its index at the end, is refused in a sentence', async () => {
  const mp4 = join(directory, 'clip.mp4');
  execFileSync('ffmpeg', ['-v', 'error', '-i', clip, '-c', 'copy', mp4]);
  const { err, code } = await push(['-'], createReadStream(mp4));
  expect([err.trim(), code]).toEqual([
    'Standard input: an MP4 whose index is at its end can only be read as a file',
    1,
  ]);
});

test('help is printed on request', async () => {
  const { out, code } = await push(['--help']);
  expect(out).toMatch(/^npm run push -- SOURCE \[options\]\n/);
  expect(code).toBe(0);
});

test.each([
  ['an unknown option', ['--nothing'], /^Unknown option '--nothing'\. .*--help tells how\.$/],
  ['no source', [], /^Name one file or address to publish\. .*--help tells how\.$/],
  ['two sources', ['a', 'b'], /^Name one file or address to publish\. /],
  ['a file that is not there', ['nothing.mp4'], /^nothing\.mp4: there is no such file$/],
  [
    'an address at which nobody listens',
    ['http://u:p@127.0.0.1:9/x'],
    /^http:\/\/127\.0\.0\.1:9\/x cannot be/,
  ],
])('%s is answered with one line, and no session begins', async (_, args, line) => {
  const { err, code } = await push(args);
  expect(err.trimEnd()).toMatch(line);
  expect(err.trimEnd()).not.toContain('\n');
  expect(code).toBe(1);
  expect(heard).toEqual([]);
});

test('music with a cover is answered with one line, and no session begins', async () => {
  const cover = ['-f', 'lavfi', '-i', 'color=c=blue:size=64x64:rate=1:duration=1', '-c:v', 'mjpeg'];
  const music = [
    '-i',
    clip,
    ...cover,
    '-map',
    '0:a',
    '-map',
    '1',
    '-disposition:v',
    'attached_pic',
  ];
  execFileSync('ffmpeg', ['-v', 'error', ...music, join(directory, 'song.m4a')]);
  const { err, code } = await push(['song.m4a']);
  expect([err, code]).toEqual(['song.m4a has no video, only a cover\n', 1]);
  expect(heard).toEqual([]);
});
