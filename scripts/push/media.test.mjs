import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
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
    const media = await startMedia(file, { loop: false });
    expect(media.mimeType).toBe(mimeType);
    expect(frameHashes(await buffer(media.bytes))).toEqual(frameHashes(file));
    expect(await media.failure).toBe('');
  });

  test('in another codec becomes VP8 with as many frames', async () => {
    const media = await startMedia(clip('mjpeg.avi', '-c:v', 'mjpeg'), { loop: false });
    expect(media.mimeType).toBe('video/webm;codecs=vp8');
    expect(frameHashes(await buffer(media.bytes))).toHaveLength(15);
  });

  test('that players are told to turn is sent turned', async () => {
    const file = clip('turned.mp4', '-c:v', 'libx264', '-pix_fmt', 'yuv420p');
    const mp4 = readFileSync(file);
    // By 90 degrees (ISO/IEC 14496-12, section 8.3.2).
    [0, -0x10000, 0, 0x10000, 0].forEach((value, n) =>
      mp4.writeInt32BE(value, mp4.indexOf('tkhd') + 44 + 4 * n),
    );
    writeFileSync(file, mp4);
    const media = await startMedia(file, { loop: false });
    const sent = join(directory, 'sent.mkv');
    writeFileSync(sent, await buffer(media.bytes));
    const entries = ['-of', 'csv=p=0', '-show_entries', 'stream=width,height'];
    expect(
      execFileSync('ffprobe', ['-v', 'error', ...entries, sent])
        .toString()
        .trim(),
    ).toBe('120,160');
  });

  test('without a picture is refused in a sentence', async () => {
    const file = join(directory, 'text.webm');
    writeFileSync(file, 'no media at all');
    await expect(startMedia(file, { loop: false })).rejects.toThrow(/text\.webm cannot be read/);
  });
});
