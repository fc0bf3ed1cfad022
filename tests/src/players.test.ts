import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from './support/browser.js';
import * as clips from './support/clips.js';
import { stackAndClip } from './support/fixtures.js';
import { gstreamerNumbers } from './support/gstreamer.js';
import { HlsJsPage } from './support/hls-js.js';
import { greenPlane, playFrames } from './support/played-frames.js';
import { startPush } from './support/push.js';

/** Ten seconds: from the seventh on, updates of the playlist skip what is old. */
const FRAMES = 300;
const FPS = 30;
const SIZE = { width: clips.WIDTH, height: clips.HEIGHT };
const ALL = Array.from({ length: FRAMES }, (_, n) => n);

const live = stackAndClip(FRAMES);

const playlistOf = (sessionId: string) => `${live.stack.url}/hls/${sessionId}/live.m3u8`;

/** Resolves when there are `count` whole segments: players that know nothing of parts need some. */
async function wholeSegments(sessionId: string, count: number): Promise<void> {
  for (let msn = 1; msn <= count; msn++) await fetch(`${playlistOf(sessionId)}?_HLS_msn=${msn}`);
}

async function ffmpegNumbers(url: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const frame of playFrames(url, SIZE, ['-live_start_index', '0']))
    numbers.push(readFrameCounter(greenPlane(frame), SIZE.width));
  return numbers;
}

describe('programs that play HLS: every frame, once, in order', () => {
  const programs = {
    ffmpeg: ffmpegNumbers,
    "GStreamer's hlsdemux": (url: string) => gstreamerNumbers(url, 'hlsdemux'),
    "GStreamer's hlsdemux2": (url: string) => gstreamerNumbers(url, 'hlsdemux2'),
  };
  let playing: Record<string, number[]>;
  let ended: Record<string, number[]>;

  beforeAll(async () => {
    const push = await startPush(live.stack, live.clip);
    // GStreamer 1.22 cannot follow a playlist that had one segment when it came.
    await wholeSegments(push.sessionId, 2);
    playing = await playAll(playlistOf(push.sessionId));
    await push.ended;
    ended = await playAll(playlistOf(push.sessionId));
  });

  async function playAll(url: string): Promise<Record<string, number[]>> {
    const played = Object.entries(programs).map(async ([name, play]) => [name, await play(url)]);
    return Object.fromEntries(await Promise.all(played)) as Record<string, number[]>;
  }

  test.each(Object.keys(programs))('%s, live', (name) => {
    const numbers = playing[name] ?? [];
    // A live player begins near the end of what is there when it has started.
    expect(numbers).toEqual(ALL.slice(numbers[0]));
    expect(numbers.length).toBeGreaterThanOrEqual(FRAMES / 2);
  });
  test.each(Object.keys(programs))('%s, after the end', (name) => expect(ended[name]).toEqual(ALL));
});

describe('hls.js in Chromium', () => {
  let browser: Browser;
  let player: HlsJsPage;
  beforeAll(async () => {
    browser = await launchChromium('/dev/null');
    player = await HlsJsPage.open(browser);
  });
  afterAll(async () => {
    await player?.close();
    await browser?.close();
  });

  test.each([
    ['on', true],
    ['off', false],
  ])(
    'with low latency %s: live, in order to the end, and then each frame in its place',
    async (_, lowLatencyMode) => {
      const push = await startPush(live.stack, live.clip);
      if (!lowLatencyMode) await wholeSegments(push.sessionId, 1);
      const url = playlistOf(push.sessionId);
      const { shown, decoded } = await player.play(url, { lowLatencyMode });
      // Where a busy machine makes it stall, hls.js goes on a tenth of a second further.
      expect(decoded).toBeGreaterThan(0.9 * FRAMES);
      // Without a graphics card not every frame is shown in time.
      expect(shown.length).toBeGreaterThan(FRAMES / 4);
      const numbers = shown.map(({ number }) => number).filter((n, at, all) => n !== all[at - 1]);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      if (lowLatencyMode) expect(player.deltaUpdates).toBeGreaterThan(0);
      expect(await push.ended).toBe(0);

      const { frames: steps } = await player.step(url, FRAMES, FPS);
      expect(steps.map(({ number }) => number)).toEqual(ALL);
      expect(steps.map(({ seconds }) => Math.round(seconds * FPS))).toEqual(ALL);
    },
  );
});
