import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openSource } from './source.mjs';
import { RtspCamera } from './testing/rtsp-camera.mjs';

const directory = mkdtempSync(join(tmpdir(), 'facecast-source-'));
const clip = join(directory, 'clip.mkv');
/** @type {string[]} */
const told = [];
const tell = (/** @type {string} */ line) => void told.push(line);

beforeAll(() => {
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=30:duration=1'];
  const encoding = ['-c:v', 'libx264', '-g', '15', '-bf', '0', '-pix_fmt', 'yuv420p'];
  execFileSync('ffmpeg', ['-v', 'error', ...picture, ...encoding, clip]);
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => void told.splice(0));

/** Number of video frames in a stream. @type {(sent: Buffer) => number} */
function frames(sent) {
  const count = ['-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0'];
  return Number(execFileSync('ffprobe', ['-v', 'error', ...count, 'pipe:0'], { input: sent }));
}

/**
 * Number of frames in each input stream of a source that ends. @type {(name: string) => Promise<number[]>}
 */
async function framesOf(name) {
  const source = await openSource(name, { loop: false, tell });
  const counts = [];
  for await (const { bytes } of source.streams()) counts.push(frames(await buffer(bytes)));
  return counts;
}

test('a name of no file and no address is refused', async () => {
  for (const name of ['pipe:0', 'udp://127.0.0.1:1', directory])
    await expect(openSource(name, { loop: false, tell })).rejects.toThrow(
      `${name}: there is no such file`,
    );
});

test('a playlist on the web is published to its end', async () => {
  const playlist = join(directory, 'list.m3u8');
  const segments = ['-c', 'copy', '-f', 'hls', '-hls_time', '0.5', playlist];
  execFileSync('ffmpeg', ['-v', 'error', '-i', clip, ...segments]);
  const web = createServer(({ url = '' }, response) =>
    response.end(readFileSync(join(directory, basename(url)))),
  ).listen(0, '127.0.0.1');
  await once(web, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (web.address());
  expect(await framesOf(`http://127.0.0.1:${port}/list.m3u8`)).toEqual([30]);
  web.close();
});

test('what comes over SRT is published', async () => {
  const sender = spawn('ffmpeg', [
    ...['-v', 'error', '-re', '-stream_loop', '-1', '-i', clip, '-c', 'copy', '-f', 'mpegts'],
    'srt://127.0.0.1:23970?mode=listener',
  ]);
  const source = await openSource('srt://127.0.0.1:23970?latency=20000', { loop: false, tell });
  const streams = source.streams();
  const { value: media } = await streams.next();
  expect(media?.found).toMatch(/^srt:\/\/127\.0\.0\.1:23970: video h264 64x48, no audio/);
  await once(/** @type {import('node:stream').Readable} */ (media?.bytes), 'data');
  source.stop();
  await streams.return();
  sender.kill('SIGKILL');
});

test('a camera that is unplugged goes on as the next input stream once it is back', async () => {
  const camera = await RtspCamera.create();
  const source = await openSource(camera.address, { loop: false, tell });
  const streams = source.streams();
  const first = (await streams.next()).value;
  expect(first?.found).toMatch(/^rtsp:\/\/127\.0\.0\.1:\d+\/live: video h264 64x48, no audio/);
  expect(first?.mimeType).toBe('video/x-matroska;codecs=avc1');
  const sent = buffer(/** @type {import('node:stream').Readable} */ (first?.bytes));
  await once(/** @type {import('node:stream').Readable} */ (first?.bytes), 'data');
  camera.unplug();
  expect(frames(await sent)).toBeGreaterThan(0);
  const next = streams.next();
  await expect.poll(() => told.filter((line) => line.includes('tried again')).length).toBe(2);
  await camera.plugIn();
  const second = (await next).value;
  await once(/** @type {import('node:stream').Readable} */ (second?.bytes), 'data');
  expect(told.join()).not.toContain('secret');
  source.stop();
  await streams.return();
  camera.close();
});

test('a camera that is missing from the beginning is reported without its password', async () => {
  const source = await openSource('rtsp://admin:secret@127.0.0.1:9/live', { loop: false, tell });
  await expect(source.streams().next()).rejects.toThrow(
    /^rtsp:\/\/127\.0\.0\.1:9\/live cannot be read: Connection refused$/,
  );
});
