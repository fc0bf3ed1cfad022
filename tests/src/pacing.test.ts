import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countedClip } from './support/clips.js';
import { LiveViewer } from './support/live-viewer.js';
import { Publisher } from './support/publisher.js';
import { startStack, type Stack } from './support/stack.js';

const SECONDS = 12;
const LEAD_SECONDS = 2;
/** What arrives early moves the believed time of capture by so much at most. */
const CORRECTION_SECONDS = 1;

let stack: Stack;
let media: string;

beforeAll(async () => {
  media = await mkdtemp(join(tmpdir(), 'facecast-clips-'));
  await countedClip(join(media, 'counted.webm'), 30 * SECONDS);
  // The shortest window: what runs ahead of it is lost to viewers.
  stack = await startStack({ MAX_LEAD_SECONDS: String(LEAD_SECONDS), WINDOW_SECONDS: '6' });
});

afterAll(async () => {
  await stack?.stop();
  await rm(media, { recursive: true, force: true });
});

test('a file that is sent as fast as it goes is shown at its own speed, and viewers miss nothing', async () => {
  const publisher = await Publisher.start(stack.ingestUrl);
  const { viewer, ended } = LiveViewer.watch(stack.url, publisher.sessionId);
  const began = performance.now();
  await publisher.sendMedia(await readFile(join(media, 'counted.webm')));
  expect(await publisher.stop()).toMatchObject({ frames: 30 * SECONDS });
  await ended;
  expect(await viewer.numbers()).toEqual(Array.from({ length: 30 * SECONDS }, (_, n) => n));
  const ahead = viewer.arrivals.map((at, part) => part / 10 - (at - began) / 1000);
  expect(Math.max(...ahead)).toBeLessThan(LEAD_SECONDS + CORRECTION_SECONDS);
});
