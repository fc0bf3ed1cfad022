import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from './support/browser.js';
import { stackAndClip } from './support/fixtures.js';
import { gstreamerNumbers, type HlsElement } from './support/gstreamer.js';
import { HlsJsPage } from './support/hls-js.js';
import { ffmpegNumbers } from './support/played-frames.js';
import { startPush } from './support/push.js';
import { statsOf } from './support/session-api.js';

/** Ten seconds: from the seventh on, playlist updates skip old segments. */
const FRAMES = 300;
const FPS = 30;
const ALL = Array.from({ length: FRAMES }, (_, n) => n);

// Even a slow player still finds the first frames in the playlist.
const live = stackAndClip(FRAMES, { WINDOW_SECONDS: '600' });

const playlistOf = (sessionId: string) => `${live.stack.url}/hls/${sessionId}/live.m3u8`;

/** Resolves when the playlist has `count` whole segments: players without low latency need some. */
async function wholeSegments(sessionId: string, count: number): Promise<void> {
  for (let msn = 1; msn <= count; msn++) await fetch(`${playlistOf(sessionId)}?_HLS_msn=${msn}`);
}

const gstreamer =
  (element: HlsElement): typeof ffmpegNumbers =>
  (url, onFrame) =>
    gstreamerNumbers(url, element, onFrame);

describe('programs that play HLS: every frame, once, in order', () => {
  const programs = {
    ffmpeg: ffmpegNumbers,
    "GStreamer's hlsdemux": gstreamer('hlsdemux'),
    "GStreamer's hlsdemux2": gstreamer('hlsdemux2'),
  };
  /** The numbers of the session's frames. */
  let frames: number[];
  let playing: Record<string, number[]>;
  let ended: Record<string, number[]>;

  beforeAll(async () => {
    const push = await startPush(live.stack, live.clip, { loop: true });
    const url = playlistOf(push.sessionId);
    try {
      // GStreamer 1.22 cannot follow a playlist that had one segment when it was first fetched.
      await wholeSegments(push.sessionId, 2);
      // A second of frames counts as live, however late a player begins and however slow it is.
      const played = new Set<string>();
      playing = await playAll(url, (name, count) => {
        if (count === FRAMES / 2) played.add(name);
        if (played.size === Object.keys(programs).length) void push.stop();
      });
    } finally {
      expect(await push.stop()).toBe(0);
    }
    const { framesOut } = await statsOf(live.stack, push.sessionId);
    frames = Array.from({ length: framesOut }, (_, n) => n % FRAMES);
    ended = await playAll(url);
  });

  async function playAll(
    url: string,
    onFrame?: (name: string, count: number) => void,
  ): Promise<Record<string, number[]>> {
    const played = Object.entries(programs).map(async ([name, play]) => [
      name,
      await play(url, (count) => onFrame?.(name, count)),
    ]);
    return Object.fromEntries(await Promise.all(played)) as Record<string, number[]>;
  }

  test.each(Object.keys(programs))('%s, live', (name) => {
    const numbers = playing[name] ?? [];
    expect(numbers.length).toBeGreaterThanOrEqual(FRAMES / 2);
    // A live player begins near the end of the playlist.
    expect(numbers).toEqual(frames.slice(-numbers.length));
  });
  test.each(Object.keys(programs))('%s, after the end', (name) =>
    expect(ended[name]).toEqual(frames),
  );
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
      const { shown, decoded, leftOut } = await player.play(url, { lowLatencyMode });
      expect(decoded + leftOut).toBeGreaterThan(0.9 * FRAMES);
      // Without a graphics card a browser does not show every frame; on a slow machine, one a second.
      expect(shown.length).toBeGreaterThanOrEqual(FRAMES / FPS);
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
