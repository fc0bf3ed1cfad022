import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { inputOf } from './input.mjs';
import { startMedia } from './media.mjs';

const directory = mkdtempSync(join(tmpdir(), 'facecast-media-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Half a second at 30 frames a second. @type {(name: string, ...codec: string[]) => string} */
function clip(name, ...codec) {
  const file = join(directory, name);
  const source = 'testsrc2=size=160x120:rate=30:duration=0.5';
  execFileSync('ffmpeg', ['-loglevel', 'error', '-f', 'lavfi', '-i', source, ...codec, file]);
  return file;
}

/** The hash of each decoded frame. @type {(input: string | Buffer) => string[]} */
function frameHashes(input) {
  const file = typeof input === 'string' ? input : 'pipe:0';
  const args = [
    '-loglevel',
    'error',
    '-i',
    file,
    '-f',
    'framehash',
    '-fps_mode',
    'passthrough',
    '-',
  ];
  const { stdout } = spawnSync('ffmpeg', args, {
    ...(typeof input === 'string' ? {} : { input }),
    encoding: 'utf8',
  });
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => line.split(',').at(-1) ?? '');
}

describe('a file to be published', () => {
  test.each([
    ['VP8', 'video/webm;codecs=vp8', 'vp8.webm', ['-c:v', 'libvpx', '-auto-alt-ref', '0']],
    [
      'H.264',
      'video/x-matroska;codecs=avc1',
      'h264.mp4',
      ['-c:v', 'libx264', '-pix_fmt', 'yuv420p'],
    ],
  ])('in %s is passed on with every frame as it was', async (_, mimeType, name, codec) => {
    const file = clip(name, ...codec);
    const media = await startMedia(await inputOf(file), { loop: false });
    expect(media.mimeType).toBe(mimeType);
    expect(frameHashes(await buffer(media.bytes))).toEqual(frameHashes(file));
    expect(await media.failure).toBe('');
  });

  test('in another codec becomes VP8 with as many frames', async () => {
    const media = await startMedia(await inputOf(clip('mjpeg.avi', '-c:v', 'mjpeg')), {
      loop: false,
    });
    expect(media.mimeType).toBe('video/webm;codecs=vp8');
    expect(frameHashes(await buffer(media.bytes))).toHaveLength(15);
  });

  test('without a picture is refused in a sentence', async () => {
    const file = join(directory, 'text.webm');
    writeFileSync(file, 'no media at all');
    await expect(startMedia(await inputOf(file), { loop: false })).rejects.toThrow(
      /text\.webm cannot be read/,
    );
  });
});
