import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchChromium, launchTabs, type Tabs } from './browser.js';
import { countedClip, faceCamera } from './clips.js';
import { startStack, type Stack } from './stack.js';

/** What is there while the tests of a file or a `describe` run, and gone after them. */
interface StackFixture {
  stack: Stack;
  /** A directory for clips. */
  media: string;
}

/** The whole system, and a clip in which so many frames are counted. */
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

/** The whole system, and a browser before whose camera a face moves left and right. */
export function stackAndCamera(): StackFixture & { browser: Browser } {
  const fixture = around(async (media) => {
    const camera = join(media, 'face.mjpeg');
    await faceCamera(camera, 6);
    return { browser: await launchChromium(camera) };
  });
  afterAll(() => fixture.browser?.close());
  return fixture;
}

/** The same, with a browser that has a window of tabs. */
export function stackAndTabs(): StackFixture & { tabs: Tabs } {
  const fixture = around(async (media) => {
    const camera = join(media, 'face.mjpeg');
    await faceCamera(camera, 6);
    return { tabs: await launchTabs(camera) };
  });
  afterAll(() => fixture.tabs?.close());
  return fixture;
}

/** The system with a directory beside it, and what `prepare` puts in there. */
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
