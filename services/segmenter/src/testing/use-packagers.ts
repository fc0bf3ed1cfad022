import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { types } from 'hls-parser';
import { afterEach, beforeEach } from 'vitest';
import { AudioTrack, type EncodedAudio } from '../encode/audio-track.js';
import { writeFragment } from '../mp4/fragment.js';
import { Packager } from '../hls/packager.js';
import { CADENCE, CAPTURED_AT, renderedBatch } from './cadence.js';
import { upTo } from './test-frames.js';
import { parseStrictly } from './strict-parser.js';

const SETTINGS = { cadence: CADENCE, windowSeconds: 30 };
export const INIT = Buffer.from('init');
/** In memory where it can be: these tests write a hundred thousand files. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export let folder: string;
export let clock: number;
/** Time goes on by so many milliseconds. */
export const goOn = (ms: number) => void (clock += ms);

export const open = () => Packager.open(folder, SETTINGS, () => clock);
export const text = () => readFile(join(folder, 'live.m3u8'), 'utf8');
export const playlist = async () => parseStrictly(await text());
export const media = async () =>
  (await readdir(folder)).filter((name) => name.endsWith('.m4s')).sort();

/** A part that no player could show, as the encoder would give it. */
export function fakePart(batch: number): Buffer {
  const data = Buffer.alloc(20, `${batch} `);
  return writeFragment(
    { batch, firstFrame: batch * 3 },
    upTo(3).map((frame) => ({ key: frame === 0, data })),
    { firstFrame: 0, frames: [] },
  );
}

/** The audio of batches that have none: what the encoder makes of it. */
export function silence(): (batch: number) => Promise<EncodedAudio> {
  const nothing = () => Promise.resolve(undefined);
  const track = new AudioTrack(CADENCE, { read: nothing, readNew: nothing });
  return (batch) => track.encode(renderedBatch(batch), false);
}

export async function addBatch(packager: Packager, batch: number, content = fakePart(batch)) {
  const capturedAt = CAPTURED_AT + batch * 100;
  const place = await packager.add({ firstFrame: batch * 3, frames: 3, capturedAt }, content);
  await packager.tidy();
  goOn(100);
  return place;
}

export async function addBatches(packager: Packager, from: number, to: number) {
  for (let batch = from; batch < to; batch++) await addBatch(packager, batch);
}

export async function startWith(batches: number) {
  const packager = await open();
  packager.begin(INIT);
  await addBatches(packager, 0, batches);
  return packager;
}

/** The names that a playlist lists. */
export function namesIn(list: types.MediaPlaylist): string[] {
  return list.segments.flatMap((segment) => [
    ...(segment.uri ? [segment.uri] : []),
    ...(segment.map ? [segment.map.uri] : []),
    ...segment.parts.filter((part) => !part.hint).map((part) => part.uri),
  ]);
}

/** An empty folder and a clock, before each test; the folder goes after it. */
export function usePackagers(): void {
  beforeEach(async () => {
    folder = await mkdtemp(join(SCRATCH, 'facecast-packager-'));
    clock = 0;
  });
  afterEach(() => rm(folder, { recursive: true }));
}
