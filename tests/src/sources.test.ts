import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordInBrowser } from './sources/browser-recording.js';
import { publishRecording, publishSource } from './sources/published-source.js';
import { leanSources } from './sources/sources.js';
import { compare, complaints } from './sources/verdict.js';
import { watchInFfmpeg } from './sources/watched.js';
import { watchInHlsJs } from './sources/watched-in-browser.js';
import { launchChromium, newPage } from './support/browser.js';
import { HlsJsPage } from './support/hls-js.js';
import { memory } from './support/memory.js';
import { startStack, type Stack } from './support/stack.js';
import type { Browser } from 'playwright-core';

let stack: Stack;
let directory: string;
let browser: Browser;
let player: HlsJsPage;

beforeAll(async () => {
  directory = await mkdtemp(join(memory, 'facecast-sources-'));
  stack = await startStack();
  browser = await launchChromium('/dev/null');
  player = await HlsJsPage.open(browser);
});
afterAll(async () => {
  await player?.close();
  await browser?.close();
  await stack?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('all frames in order, the right size, and audio in sync:', () => {
  test.each(leanSources)('$way, $name', async (source) => {
    const { playlist, source: recording } = await publishSource(source, {
      stack,
      directory,
      browser,
    });
    expect(complaints(compare(recording, await watchInFfmpeg(playlist)), source)).toEqual([]);
    if (!source.alsoInHlsJs) return;
    expect(complaints(compare(recording, await watchInHlsJs(player, playlist)), source)).toEqual(
      [],
    );
  });

  test.each([
    'video/webm;codecs=vp8,opus',
    'video/webm;codecs=vp9,opus',
    'video/webm;codecs=h264,opus',
    'video/mp4;codecs=avc1.42E01F,opus',
  ])('recorded by Chromium as %s', async (mimeType) => {
    const page = await newPage(browser);
    const recording = await page.evaluate(recordInBrowser, { mimeType, seconds: 3 });
    await page.close();
    const path = join(directory, 'recording');
    await writeFile(path, recording, 'base64');
    const { playlist, source } = await publishRecording(stack, path, mimeType);
    const wanted = { width: 320, height: 240, hasSound: true };
    expect(complaints(compare(source, await watchInFfmpeg(playlist)), wanted)).toEqual([]);
  });
});
