import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEditLists } from './edit-lists.js';
import { MediaFile, type TimedMedia } from './media-file.js';

const run = promisify(execFile);
let directory: string;
/** Two seconds of 30 frames, a key frame each half second, with sound. */
let whole: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'facecast-edits-'));
  whole = join(directory, 'whole.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=30:duration=2'];
  const sound = ['-f', 'lavfi', '-i', 'sine=440:r=48000:duration=2'];
  const encoding = ['-c:v', 'libx264', '-g', '15', '-bf', '2', '-sc_threshold', '0', '-c:a', 'aac'];
  await run('ffmpeg', ['-v', 'error', ...picture, ...sound, ...encoding, whole]);
});
afterAll(() => rm(directory, { recursive: true }));

/** Without its front, as editors cut that do not encode again. */
async function cutAt(seconds: number): Promise<Blob> {
  const path = join(directory, 'cut.mp4');
  await run('ffmpeg', ['-v', 'error', '-y', '-ss', `${seconds}`, '-i', whole, '-c', 'copy', path]);
  return new Blob([await readFile(path)]);
}

/** With edit lists that say that it lasts so many seconds. */
async function endingAt(seconds: number): Promise<Blob> {
  const mp4 = await readFile(whole);
  for (let at = 0; (at = mp4.indexOf('elst', at + 1)) >= 0;)
    mp4.writeUInt32BE(1000 * seconds, at + 12);
  return new Blob([mp4]);
}

async function read(file: Blob): Promise<TimedMedia[]> {
  const media = await MediaFile.open(file, { loop: false, withSound: true });
  if (!media) throw new Error('it cannot be read');
  const all: TimedMedia[] = [];
  for await (const each of media.media(0)) all.push(each);
  media.close();
  return all;
}

const timesOf = (kind: TimedMedia['kind'], all: TimedMedia[]) =>
  all.filter((each) => each.kind === kind).map(({ media }) => media.timestamp);
const inFrames = (times: number[]) => times.map((time) => Math.round(time * 30));
const counting = (count: number) => Array.from({ length: count }, (_, n) => n);
const sorted = (numbers: number[]) => numbers.sort((a, b) => a - b);

test('when the tracks of an MP4 are shown is read from their edit lists', async () => {
  const lists = await readEditLists(await endingAt(1.5));
  expect([...lists]).toEqual([
    [1, { from: 0, until: 1.5 }],
    [2, { from: 0, until: 1.5 }],
  ]);
});

test('what is no MP4, or not all of one, has no edit lists', async () => {
  const beginning = (await endingAt(1.5)).slice(0, 100);
  for (const file of [new Blob(['no media at all']), new Blob(), beginning])
    expect([...(await readEditLists(file))]).toEqual([]);
});

test('a track that begins later is shown later, and one in pieces is known to be', async () => {
  const path = join(directory, 'late.mp4');
  const late = ['-itsoffset', '0.5', '-i', whole, '-c', 'copy', '-map', '0:v'];
  await run('ffmpeg', ['-v', 'error', '-y', ...late, path]);
  const mp4 = await readFile(path);
  const [shown] = (await readEditLists(new Blob([mp4]))).values();
  expect(shown).toEqual({ from: 0.5, until: 2.5 });
  // What showed nothing shows the beginning.
  mp4.writeInt32BE(0, mp4.indexOf('elst') + 16);
  const pieces = new Blob([mp4]);
  expect([...(await readEditLists(pieces)).values()]).toEqual(['pieces']);
  expect(await MediaFile.open(pieces, { loop: false, withSound: true })).toBeUndefined();
});

test('a hidden tail is not sent, neither pictures nor sound', async () => {
  const sent = await read(await endingAt(1));
  expect(sorted(inFrames(timesOf('video', sent)))).toEqual(counting(30));
  const sound = timesOf('audio', sent);
  expect(sound.at(-1)).toBeLessThan(1);
  expect(sound.at(-1)).toBeGreaterThan(0.9);
});

test('a front that is hidden up to a key frame is not sent', async () => {
  const sent = await read(await cutAt(0.5));
  expect(sorted(inFrames(timesOf('video', sent)))).toEqual(counting(45));
  expect(timesOf('audio', sent)[0]).toBeLessThan(0.03);
});

test.each([
  ['a front that is hidden up to the middle of a group of pictures', () => cutAt(0.7)],
  ['a tail that is hidden from the middle of B frames on', () => endingAt(1.1)],
])('%s is not sent as it is', async (_, file) => {
  // Nothing here decodes it; a browser does.
  expect(await MediaFile.open(await file(), { loop: false, withSound: true })).toBeUndefined();
});
