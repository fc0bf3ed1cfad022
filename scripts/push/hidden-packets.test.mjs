import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inputOf } from './input.mjs';
import { startMedia } from './media.mjs';

const directory = mkdtempSync(join(tmpdir(), 'facecast-hidden-'));
afterAll(() => rmSync(directory, { recursive: true }));

const HERTZ = 48_000;

/** @type {(input: (string | Buffer)[], output: string[]) => Buffer} */
function ffmpeg(input, output) {
  const [bytes] = input.filter((each) => typeof each !== 'string');
  const from = input.map((each) => (typeof each === 'string' ? each : 'pipe:0'));
  return execFileSync('ffmpeg', ['-v', 'error', '-y', ...from, ...output], {
    ...(bytes && { input: bytes }),
    maxBuffer: 1e8,
  });
}

/** With a single key frame: half a second of red with 440 Hz, then two seconds of green with 880 Hz. */
const whole = join(directory, 'whole.mp4');
const SECRET_SECONDS = 0.5;

beforeAll(() => {
  const picture = 'c=red:s=64x48:r=30:d=0.5[r];color=c=green:s=64x48:r=30:d=2[g]';
  const sound = 'sine=440:r=48000:d=0.5[low];sine=880:r=48000:d=2[high]';
  const graph = `color=${picture};[r][g]concat[v];${sound};[low][high]concat=v=0:a=1[a]`;
  const encoding = ['-c:v', 'libx264', '-g', '999', '-bf', '2', '-sc_threshold', '0'];
  ffmpeg(
    [],
    ['-filter_complex', graph, '-map', '[v]', '-map', '[a]', ...encoding, '-c:a', 'aac', whole],
  );
});

/**
 * The clip without its front, as editors cut it that do not encode again. @type {(name: string, ...options:
 * string[]) => string}
 */
function withoutFront(name, ...options) {
  const file = join(directory, name);
  ffmpeg(['-ss', `${SECRET_SECONDS}`, '-i', whole], ['-c', 'copy', ...options, file]);
  return file;
}

/**
 * The clip without its tail: its edit lists give this duration in seconds. @type {(seconds: number) =>
 * string}
 */
function withoutTail(seconds) {
  const mp4 = readFileSync(whole);
  for (let at = 0; (at = mp4.indexOf('elst', at + 1)) >= 0;)
    mp4.writeUInt32BE(1000 * seconds, at + 12);
  const file = join(directory, 'tail.mp4');
  writeFileSync(file, mp4);
  return file;
}

/** The colour of each frame. @type {(sent: Buffer) => ('red' | 'green')[]} */
function frames(sent) {
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-fps_mode', 'passthrough', '-'];
  const pixels = ffmpeg(['-i', sent], ['-map', '0:v', '-vf', 'scale=1:1', ...raw]);
  return Array.from({ length: pixels.length / 3 }, (_, n) =>
    (pixels[3 * n] ?? 0) > (pixels[3 * n + 1] ?? 0) ? 'red' : 'green',
  );
}

/** The audio samples. @type {(sent: Buffer) => Int16Array} */
function samples(sent) {
  const raw = ['-f', 's16le', '-ac', '1', '-ar', `${HERTZ}`, '-'];
  const bytes = ffmpeg(['-i', sent], ['-map', '0:a', ...raw]);
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** The frequency of the samples in Hz. @type {(samples: Int16Array) => number} */
function pitch(of) {
  const crossings = of.filter((value, n) => n > 0 && value >= 0 !== (of[n - 1] ?? 0) >= 0).length;
  return (crossings / 2 / of.length) * HERTZ;
}

/** @type {(file: string) => Promise<Buffer>} */
async function sentOf(file) {
  const media = await startMedia(await inputOf(file), { loop: false });
  const sent = await buffer(media.bytes);
  expect(await media.failure).toBe('');
  return sent;
}

describe('what an editor cut away from a file is not sent:', () => {
  test.each([
    ['the front', []],
    ['the front of an MP4 in fragments', ['-movflags', 'frag_keyframe+delay_moov']],
  ])('%s', async (_, options) => {
    const sent = await sentOf(withoutFront('front.mp4', ...options));
    expect(frames(sent)).toEqual(Array(60).fill('green'));
    const heard = samples(sent);
    expect(heard.length / HERTZ).toBeCloseTo(2, 1);
    for (let at = 0; at + 2400 <= 48_000; at += 2400)
      expect(Math.abs(pitch(heard.subarray(at, at + 2400)) - 880)).toBeLessThan(45);
  });

  test('the tail', async () => {
    const sent = await sentOf(withoutTail(SECRET_SECONDS));
    expect(frames(sent)).toEqual(Array(15).fill('red'));
    const heard = samples(sent);
    expect(heard.length / HERTZ).toBeCloseTo(SECRET_SECONDS, 1);
    expect(Math.abs(pitch(heard.subarray(-9600, -2400)) - 440)).toBeLessThan(30);
  });

  test('also if the file is looped', async () => {
    const media = await startMedia(await inputOf(withoutFront('loop.mp4')), { loop: true });
    /** @type {Buffer[]} */
    const sent = [];
    for await (const bytes of media.bytes) {
      sent.push(bytes);
      // In the third round.
      if (sent.length % 10 === 0 && frames(Buffer.concat(sent)).length > 130) break;
    }
    media.stop();
    await media.failure;
    expect(frames(Buffer.concat(sent))).not.toContain('red');
  });
});

test('a file in fragments with a hidden front is not looped, and a sentence says why', async () => {
  const file = withoutFront('fragments.mp4', '-movflags', 'frag_keyframe+delay_moov');
  await expect(startMedia(await inputOf(file), { loop: true })).rejects.toThrow(
    /fragments\.mp4 cannot be looped/,
  );
});
