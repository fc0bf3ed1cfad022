import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';
import { liveOf, makeSoundingClip, type SoundingClip } from './live-marked.js';

/** Length of the clip: longer than the session lasts. */
const CLIP_SECONDS = 60;
const HOUR_MS = 3_600_000;
/** The module that Node loads before each service. */
const PRELOAD = new URL('../support/shifted-clock.mjs', import.meta.url).href;

let stack: Stack;
let directory: string;
let clip: SoundingClip;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'facecast-clocks-'));
  clip = await makeSoundingClip(join(directory, 'marked.webm'), CLIP_SECONDS);
  // Clips are sent at their own speed here, as a camera's pictures are.
  stack = await startStack({
    NODE_OPTIONS: `--import=${PRELOAD}`,
    CLOCK_SHIFTS_DIR: directory,
    MAX_LEAD_SECONDS: '2',
  });
});

afterAll(async () => {
  await stack?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function shift(service: string, ms: number): Promise<void> {
  await writeFile(join(directory, 'next'), String(ms));
  await rename(join(directory, 'next'), join(directory, service));
}

test('a clock jump of an hour in any service loses no frame and no audio', async () => {
  const { viewer, stats, endsWhole } = await liveOf(stack, clip);
  for (const service of ['gateway', 'frame-extractor', 'face-detector', 'segmenter'])
    for (const ms of [HOUR_MS, -HOUR_MS, 0]) {
      await shift(service, ms);
      await viewer.parts(8);
    }
  await endsWhole();
  expect((await stats()).framesOut).toBeGreaterThan(0);
});
