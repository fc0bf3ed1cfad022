import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { framesShown, launchChromium } from './support/browser.js';
import * as clips from './support/clips.js';
import { stackAndClip } from './support/fixtures.js';
import { gstreamerNumbers } from './support/gstreamer.js';
import { HlsJsPage } from './support/hls-js.js';
import { greenPlane, playFrames } from './support/played-frames.js';
import { startPush, type Push } from './support/push.js';

const FRAMES = 300;
const SIZE = { width: clips.WIDTH, height: clips.HEIGHT };
const ALL = Array.from({ length: FRAMES }, (_, n) => n);

const live = stackAndClip(FRAMES);

/** A private session that has begun to play, with a link to its page and one for players. */
async function pushed(loop = false): Promise<Push & { page: string; player: string }> {
  const push = await startPush(live.stack, live.clip, { isPrivate: true, record: true, loop });
  await expect.poll(() => push.links).toHaveLength(2);
  const [page = '', player = ''] = push.links;
  return { ...push, page, player };
}

async function ffmpegNumbers(url: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const frame of playFrames(url, SIZE, ['-live_start_index', '0']))
    numbers.push(readFrameCounter(greenPlane(frame), SIZE.width));
  return numbers;
}

describe('a private stream, by its link', () => {
  let browser: Browser;
  beforeAll(async () => (browser = await launchChromium('/dev/null')));
  afterAll(() => browser?.close());

  test('plays in ffmpeg, GStreamer, hls.js and natively: every frame; without it in none', async () => {
    const { sessionId, player, ended } = await pushed();
    // Players that know nothing of parts need a segment.
    await expect.poll(async () => (await fetch(player)).text()).toContain('#EXTINF');
    const numbers = await ffmpegNumbers(player);
    expect(numbers).toEqual(ALL.slice(numbers[0]));
    expect(numbers.length).toBeGreaterThanOrEqual(FRAMES / 2);
    expect(await ended).toBe(0);
    expect(await ffmpegNumbers(player)).toEqual(ALL);
    expect(await gstreamerNumbers(player, 'hlsdemux')).toEqual(ALL);
    expect(await ffmpegNumbers(player.replace('live.m3u8', 'recording.m3u8'))).toEqual(ALL);
    const plain = `${live.stack.url}/hls/${sessionId}/live.m3u8`;
    expect((await fetch(plain)).status).toBe(403);

    const page = await HlsJsPage.open(browser);
    const { frames } = await page.step(player, 60, 30);
    expect(frames.map(({ number }) => number)).toEqual(ALL.slice(0, 60));
    expect(page.deltaUpdates).toBe(0);
    await page.close();

    const native = await browser.newPage();
    await native.goto(`${live.stack.url}/healthz`);
    const size = (src: string) =>
      native.evaluate(async (url) => {
        const video = document.createElement('video');
        const loaded = new Promise((resolve) => {
          video.addEventListener('loadeddata', () => resolve(video.videoWidth));
          video.addEventListener('error', () => resolve('error'));
        });
        video.src = url;
        return loaded;
      }, src);
    expect(await size(player)).toBe(SIZE.width);
    expect(await size(plain)).toBe('error');
    await native.close();
  });

  test('plays live on the page that the link opens, which keeps the link to itself', async () => {
    // For as long as it takes to open a page and to load it again.
    const { page: link, ...push } = await pushed(true);
    const page = await browser.newPage();
    const refused: number[] = [];
    page.on('response', (response) => {
      if (response.status() >= 400) refused.push(response.status());
    });
    await page.goto(link);
    expect(page.url()).toBe(`${live.stack.url}/watch/${push.sessionId}`);
    await framesShown(page, 'processed', 30);
    await page.reload();
    await framesShown(page, 'processed', 30);
    expect(refused).toEqual([]);
    await page.close();
    await push.stop();
  });
});
