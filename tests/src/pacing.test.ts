import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { stackAndClip } from './support/fixtures.js';
import { LiveViewer } from './support/live-viewer.js';
import { TestPublisher } from './support/test-publisher.js';

const FRAMES = 360;
const LEAD_SECONDS = 2;
/** Maximum by which early chunks move the estimated time of capture, in seconds. */
const CORRECTION_SECONDS = 1;

// The shortest window: viewers lose what runs ahead of it.
const paced = stackAndClip(FRAMES, {
  MAX_LEAD_SECONDS: String(LEAD_SECONDS),
  WINDOW_SECONDS: '6',
});

test('a file that is sent as fast as possible is shown at its own speed, and viewers miss nothing', async () => {
  const publisher = await TestPublisher.start(paced.stack.ingestUrl);
  const { viewer, ended } = LiveViewer.watch(paced.stack.url, publisher.sessionId);
  const began = performance.now();
  await publisher.sendMedia(await readFile(paced.clip));
  expect(await publisher.stop()).toMatchObject({ frames: FRAMES });
  await ended;
  expect(await viewer.numbers()).toEqual(Array.from({ length: FRAMES }, (_, n) => n));
  const ahead = viewer.arrivals.map((at, part) => part / 10 - (at - began) / 1000);
  expect(Math.max(...ahead)).toBeLessThan(LEAD_SECONDS + CORRECTION_SECONDS + 0.1);
});
