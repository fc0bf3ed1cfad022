import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { inputOf } from './input.mjs';
import { probe } from './probe.mjs';

const directory = mkdtempSync(join(tmpdir(), 'facecast-probe-'));
afterAll(() => rmSync(directory, { recursive: true }));

const SONG = ['-f', 'lavfi', '-i', 'sine=440:duration=1'];
const COVER = ['-f', 'lavfi', '-i', 'color=c=blue:size=64x64:rate=1:duration=1'];
const FILM = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=30:duration=1'];

/** @type {(name: string, ...args: string[]) => string} */
function made(name, ...args) {
  const file = join(directory, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, file]);
  return file;
}

/** Indexes of the chosen video and audio stream. @type {(file: string) => Promise<number[]>} */
async function chosen(file) {
  const { video, audio } = await probe(await inputOf(file));
  return [video.index, ...(audio ? [audio.index] : [])];
}

describe('of several streams, those that players show are published:', () => {
  const all = [...COVER, ...FILM, ...SONG, ...SONG].concat(
    ...[0, 1, 2, 3].map((input) => ['-map', `${input}`]),
  );
  const encoding = ['-c:v', 'libx264', '-c:a', 'aac'];
  const isDefault = (/** @type {string} */ stream) => [`-disposition:${stream}`, 'default'];
  const isNot = (/** @type {string} */ stream) => [`-disposition:${stream}`, '0'];

  test('those that are marked as the default', async () => {
    const marks = [...isNot('v:0'), ...isDefault('v:1'), ...isNot('a:0'), ...isDefault('a:1')];
    expect(await chosen(made('default.mkv', ...all, ...encoding, ...marks))).toEqual([1, 3]);
  });

  test('a film before a single picture', async () => {
    const marks = ['v:0', 'v:1', 'a:0', 'a:1'].flatMap(isDefault);
    expect(await chosen(made('both.mkv', ...all, ...encoding, ...marks))).toEqual([1, 2]);
  });

  test('never a cover, marked or not', async () => {
    const encoding = ['-c:v:0', 'mjpeg', '-c:v:1', 'libx264', '-c:a', 'aac'];
    for (const mark of ['default', 'attached_pic']) {
      const file = made('cover.mkv', ...all, ...encoding, '-disposition:v:0', mark);
      expect(await chosen(file)).toEqual([1, 2]);
    }
  });

  test('a film in which each picture stands alone', async () => {
    expect(await chosen(made('film.avi', ...FILM, ...SONG, '-c:v', 'mjpeg'))).toEqual([0, 1]);
  });
});

test.each([
  ['music', 'song.mp3', [], /song\.mp3 has no video$/],
  [
    'music with a cover',
    'song.m4a',
    [...COVER, '-c:v', 'mjpeg', '-disposition:v', 'attached_pic'],
    /song\.m4a has no video, only a cover$/,
  ],
  [
    'music with a cover that nothing marks as one',
    'song.mkv',
    [...COVER, '-c:v', 'png'],
    /song\.mkv has no video, only a cover$/,
  ],
])('%s is refused in a sentence', async (_, name, cover, words) => {
  await expect(probe(await inputOf(made(name, ...SONG, ...cover)))).rejects.toThrow(words);
});
