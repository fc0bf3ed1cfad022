import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { liveOf, makeSoundingClip, type MarkedSession } from '../faults/live-marked.js';
import { launchChromium, launchTabs, type Tabs } from './browser.js';
import { countedClip, faceCamera } from './clips.js';
import { startStack, type Stack } from './stack.js';

/** A stack that runs as long as the tests of a file or a `describe`. */
interface StackFixture {
  stack: Stack;
  /** A directory for clips. */
  media: string;
}

/** The whole system, and a clip of `frames` counted frames. */
export function stackAndClip(
  frames: number,
  env: Record<string, string> = {},
): StackFixture & { clip: string } {
  return around(async (media) => {
    const clip = join(media, 'counted.webm');
    await countedClip(clip, frames);
    return { clip };
  }, env);
}

/** The whole system with two detectors, and live sessions of a clip that hums and clicks for a minute. */
export function stackAndSound(): StackFixture & { live: () => Promise<MarkedSession> } {
  const fixture: ReturnType<typeof stackAndSound> = around(
    async (media) => {
      const clip = await makeSoundingClip(join(media, 'marked.webm'), 60);
      return { live: () => liveOf(fixture.stack, clip) };
    },
    { DETECTOR_REPLICAS: '2' },
  );
  return fixture;
}

/** The whole system, and a browser before whose camera a face moves left and right. */
export function stackAndCamera(
  env: Record<string, string> = {},
): StackFixture & { browser: Browser } {
  const fixture = around(async (media) => {
    const camera = join(media, 'face.mjpeg');
    await faceCamera(camera, 6);
    return { browser: await launchChromium(camera) };
  }, env);
  afterAll(() => fixture.browser?.close());
  return fixture;
}

/** The whole system, and a browser with a window of tabs, before whose camera a face moves left and right. */
export function stackAndTabs(): StackFixture & { tabs: Tabs } {
  const fixture = around(async (media) => {
    const camera = join(media, 'face.mjpeg');
    await faceCamera(camera, 6);
    return { tabs: await launchTabs(camera) };
  });
  afterAll(() => fixture.tabs?.close());
  return fixture;
}

/** The system, a directory, and what `prepare` puts into it. */
function around<Prepared extends object>(
  prepare: (media: string) => Promise<Prepared>,
  env: Record<string, string> = {},
): StackFixture & Prepared {
  const fixture = {} as Partial<StackFixture> & Prepared;
  beforeAll(async () => {
    fixture.media = await mkdtemp(join(tmpdir(), 'facecast-media-'));
    Object.assign(fixture, await prepare(fixture.media));
    fixture.stack = await startStack(env);
  });
  afterAll(async () => {
    await fixture.stack?.stop();
    if (fixture.media) await rm(fixture.media, { recursive: true, force: true });
  });
  return fixture as StackFixture & Prepared;
}
