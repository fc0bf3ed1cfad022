import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MediaFile } from './media-file.js';

const run = promisify(execFile);
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'facecast-tracks-'));
});
afterAll(() => rm(directory, { recursive: true }));

const COVER = ['-f', 'lavfi', '-i', 'color=c=blue:size=32x32:rate=1:duration=1'];
const FILM = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=30:duration=1'];
const LOW = ['-f', 'lavfi', '-i', 'sine=440:r=44100:duration=1'];
const HIGH = ['-f', 'lavfi', '-i', 'sine=880:r=48000:duration=1'];

/** A picture and a film, a low tone and a high one. */
async function made(encoding: string[], defaults: string[]): Promise<Blob> {
  const path = join(directory, 'file.mkv');
  const marks = ['v:0', 'v:1', 'a:0', 'a:1'].flatMap((stream) => [
    `-disposition:${stream}`,
    defaults.includes(stream) ? 'default' : '0',
  ]);
  const inputs = [...COVER, ...FILM, ...LOW, ...HIGH];
  const maps = [0, 1, 2, 3].flatMap((input) => ['-map', `${input}`]);
  await run('ffmpeg', ['-v', 'error', '-y', ...inputs, ...maps, ...encoding, ...marks, path]);
  return new Blob([await readFile(path)]);
}

const ALL_H264 = ['-c:v', 'libx264', '-c:a', 'aac'];
const JPEG_COVER = ['-c:v:0', 'mjpeg', '-c:v:1', 'libx264', '-c:a', 'aac'];

test.each([
  ['that are marked as the default', ALL_H264, ['v:1', 'a:1'], 64, 48_000],
  ['of the picture that is marked, if it is the picture', ALL_H264, ['v:0', 'a:0'], 32, 44_100],
  ['of the film, if a picture is marked just as well', ALL_H264, ['v:0', 'v:1', 'a:1'], 64, 48_000],
  ['of the film, if the picture is a cover', JPEG_COVER, ['v:0', 'a:1'], 64, 48_000],
])('of several tracks those are sent %s', async (_, encoding, defaults, width, sampleRate) => {
  const file = await made(encoding, defaults);
  const media = await MediaFile.open(file, { loop: false, withSound: true });
  expect(media?.video.config.codedWidth).toBe(width);
  expect(media?.audio?.config.sampleRate).toBe(sampleRate);
  media?.close();
});
