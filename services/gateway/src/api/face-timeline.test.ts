import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaceTimeline } from './face-timeline.js';

let directory: string;
let path: string;
let timeline: FaceTimeline;
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'facecast-timeline-'));
  path = join(directory, 'faces.ndjson');
  timeline = new FaceTimeline(path, ALL);
});
afterEach(async () => {
  await timeline.close();
  await rm(directory, { recursive: true });
});

const lines = (...frames: number[]) => frames.map((n) => `{"frame":${n},"faces":[]}\n`).join('');

async function news(): Promise<string> {
  let text = '';
  for await (const some of timeline.read()) text += some;
  return text;
}

test('each line is read once, as the file comes and grows', async () => {
  expect(await news()).toBe('');
  await writeFile(path, lines(1, 2));
  expect(await news()).toBe(lines(1, 2));
  expect(await news()).toBe('');
  await appendFile(path, lines(5));
  expect(await news()).toBe(lines(5));
});

test('a line is read when it is complete', async () => {
  await writeFile(path, lines(1) + lines(2).slice(0, 9));
  expect(await news()).toBe(lines(1));
  await appendFile(path, lines(2).slice(9));
  expect(await news()).toBe(lines(2));
});

test('reading goes on after the file lost its older half, and repeats nothing', async () => {
  await writeFile(path, lines(1, 2, 3));
  expect(await news()).toBe(lines(1, 2, 3));
  await writeFile(`${path}.new`, lines(3, 4));
  await rename(`${path}.new`, path);
  expect(await news()).toBe(lines(4));
});

test('reading goes on after the end of the file was rewritten', async () => {
  await writeFile(path, lines(1, 2, 3));
  expect(await news()).toBe(lines(1, 2, 3));
  await truncate(path, lines(1).length);
  expect(await news()).toBe('');
  await appendFile(path, lines(2, 3, 4));
  expect(await news()).toBe(lines(4));
});

test('a file that is removed while it is read only ends the reading', async () => {
  await writeFile(path, lines(1));
  expect(await news()).toBe(lines(1));
  await rm(path);
  expect(await news()).toBe('');
});

test('a range ends at its last frame, or at one beyond it', async () => {
  timeline = new FaceTimeline(path, { from: 2, to: 4 });
  await writeFile(path, lines(1, 2));
  expect(await news()).toBe(lines(2));
  expect(timeline.isAtEnd).toBe(false);
  await appendFile(path, lines(5, 6));
  expect(await news()).toBe('');
  expect(timeline.isAtEnd).toBe(true);
});
