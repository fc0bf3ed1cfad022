import type { PipelineStats } from '@facecast/shared/protocol/ingest-protocol';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { framesShown, launchChromium, newPage } from './support/browser.js';
import { WIDTH } from './support/clips.js';
import { stackAndClip } from './support/fixtures.js';
import { gstreamerNumbers } from './support/gstreamer.js';
import { HlsJsPage } from './support/hls-js.js';
import { ffmpegNumbers } from './support/played-frames.js';
import { startPush, type Push } from './support/push.js';

const FRAMES = 300;

// Even a slow player still finds the first frames in the playlist.
const live = stackAndClip(FRAMES, { WINDOW_SECONDS: '600' });

/** Publishes a private session; resolves when it plays, with a link to its page and one for players. */
async function pushed(): Promise<Push & { page: string; player: string }> {
  const options = { isPrivate: true, record: true, loop: true };
  const push = await startPush(live.stack, live.clip, options);
  await expect.poll(() => push.links).toHaveLength(2);
  const [page = '', player = ''] = push.links;
  return { ...push, page, player };
}

describe('a private stream, by its link', () => {
  let browser: Browser;
  beforeAll(async () => (browser = await launchChromium('/dev/null')));
  afterAll(() => browser?.close());

  test('every frame plays in ffmpeg, GStreamer, hls.js and natively; without the link none does', async () => {
    const { sessionId, player, ...push } = await pushed();
    // Players without low latency need a whole segment.
    await expect.poll(async () => (await fetch(player)).text()).toContain('#EXTINF');
    const playing = await ffmpegNumbers(player, (count) => {
      if (count === FRAMES / 2) void push.stop();
    });
    expect(await push.stop()).toBe(0);
    const about = await fetch(
      `${live.stack.url}/api/sessions/${sessionId}${new URL(player).search}`,
    );
    const { framesOut } = (await about.json()) as PipelineStats;
    const frames = Array.from({ length: framesOut }, (_, n) => n % FRAMES);
    expect(playing.length).toBeGreaterThanOrEqual(FRAMES / 2);
    expect(playing).toEqual(frames.slice(-playing.length));
    expect(await ffmpegNumbers(player)).toEqual(frames);
    expect(await gstreamerNumbers(player, 'hlsdemux')).toEqual(frames);
    expect(await ffmpegNumbers(player.replace('live.m3u8', 'recording.m3u8'))).toEqual(frames);
    const plain = `${live.stack.url}/hls/${sessionId}/live.m3u8`;
    expect((await fetch(plain)).status).toBe(403);

    const page = await HlsJsPage.open(browser);
    const { frames: steps } = await page.step(player, 60, 30);
    expect(steps.map(({ number }) => number)).toEqual(frames.slice(0, 60));
    expect(page.deltaUpdates).toBe(0);
    await page.close();

    const native = await newPage(browser);
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
    expect(await size(player)).toBe(WIDTH);
    expect(await size(plain)).toBe('error');
    await native.close();
  });

  test('plays live on the page that the link opens, whose address does not keep the link', async () => {
    const { page: link, ...push } = await pushed();
    const page = await newPage(browser);
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
