import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { renderedBatch } from '../testing/cadence.js';
import { TimelineFile } from './timeline-file.js';

const FACE = { id: 3, x: 10, y: 20, width: 30, height: 40, score: 0.5 };

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facecast-timeline-'));
  path = join(folder, 'faces.ndjson');
});

afterEach(() => rm(folder, { recursive: true }));

const open = (firstFrame = 0, maxBytes?: number) =>
  TimelineFile.open(path, {
    ...{ fps: 30, firstFrame, volume: { write: (attempt) => attempt() } },
    ...(maxBytes && { maxBytes }),
  });

/** A batch with one face in each of its frames. */
const withFaces = (batch: number) =>
  renderedBatch(batch, {
    frames: [0, 1, 2].map(() => ({ searched: true, hidden: false, faces: [FACE] })),
  });

const lines = async () =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { frame: number; t: number; faces: unknown[] });

describe('the face timeline', () => {
  test('has a line for each frame with faces, and none for the others', async () => {
    const timeline = await open();
    await timeline.append(renderedBatch(0));
    const frames = [
      { searched: true, hidden: false, faces: [] },
      { searched: false, hidden: false, faces: [FACE] },
      { searched: true, hidden: false, faces: [FACE, FACE] },
    ];
    await timeline.append(renderedBatch(41, { frames }));
    expect(await readFile(path, 'utf8')).toBe(
      '{"frame":124,"t":4.1333,"faces":[{"id":3,"x":10,"y":20,"width":30,"height":40,"score":0.5}]}\n' +
        `{"frame":125,"t":4.1667,"faces":[${JSON.stringify(FACE)},${JSON.stringify(FACE)}]}\n`,
    );
  });

  test('exists, and is empty, as long as no face was found', async () => {
    await (await open()).append(renderedBatch(0));
    expect(await readFile(path, 'utf8')).toBe('');
  });

  test('a successor repeats no line, and repairs a torn one', async () => {
    const timeline = await open();
    for (const batch of [0, 1, 2]) await timeline.append(withFaces(batch));
    await appendFile(path, '{"frame":9,"t":0.');
    const successor = await open(6);
    expect((await lines()).map(({ frame }) => frame)).toEqual([0, 1, 2, 3, 4, 5]);
    await successor.append(withFaces(2));
    expect((await lines()).map(({ frame }) => frame)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('a successor of a session with nothing published begins anew', async () => {
    await (await open()).append(withFaces(0));
    await open(0);
    expect(await readFile(path, 'utf8')).toBe('');
  });

  test('a successor of a long timeline keeps all that is older', async () => {
    const timeline = await open();
    for (let batch = 0; batch < 2_000; batch++) await timeline.append(withFaces(batch));
    await open(5_997);
    const frames = (await lines()).map(({ frame }) => frame);
    expect(frames).toHaveLength(5_997);
    expect(frames.at(-1)).toBe(5_996);
  });

  test('stays below its bound: the oldest lines are dropped', async () => {
    const timeline = await open(0, 10_000);
    for (let batch = 0; batch < 300; batch++) {
      await timeline.append(withFaces(batch));
      expect((await stat(path)).size).toBeLessThanOrEqual(10_000);
    }
    const frames = (await lines()).map(({ frame }) => frame);
    expect(frames.at(-1)).toBe(899);
    expect(frames).toEqual(frames.map((_, index) => index + 900 - frames.length));
  });
});
