import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import { beforeAll, describe, expect, test } from 'vitest';
import { launchChromium, newPage } from './support/browser.js';
import * as clips from './support/clips.js';
import { stackAndClip } from './support/fixtures.js';
import { HlsJsPage } from './support/hls-js.js';
import { greenPlane, playFrames } from './support/played-frames.js';
import { processesOf, signal } from './support/processes.js';
import { startPush } from './support/push.js';
import { flashAndClickClip, flashesAndClicks } from './support/audio-clip.js';
import { leastFinds, statsOf } from './support/session-api.js';

const FRAMES = 300;
const SIZE = { width: clips.WIDTH, height: clips.HEIGHT };
const ALL = Array.from({ length: FRAMES }, (_, n) => n);
/** Maximum offset between audio and video that the contract allows, in seconds. */
const IN_SYNC = 0.04;

const live = stackAndClip(FRAMES);

const api = (sessionId: string, path: string, init?: RequestInit) =>
  fetch(`${live.stack.url}/api/sessions/${sessionId}${path}`, init);

/** Both forms of a recording. */
const urlsOf = (sessionId: string) => [
  `${live.stack.url}/hls/${sessionId}/recording.m3u8`,
  `${live.stack.url}/api/sessions/${sessionId}/recording.mp4`,
];

describe('recordings of sessions whose segmenter was killed, after the live folders were removed', () => {
  let sessions: { counted: string; clicks: string; face: string };
  let facesBefore: string;

  beforeAll(async () => {
    const [clicks, face] = [join(live.media, 'clicks.webm'), join(live.media, 'face.webm')];
    await Promise.all([flashAndClickClip(clicks, 6), clips.faceClip(face, 6)]);
    const pushes = await Promise.all(
      [live.clip, clicks, face].map((clip) => startPush(live.stack, clip, { record: true })),
    );
    // At this time the first segment of each is recorded, or about to be.
    for (const { sessionId } of pushes)
      await fetch(`${live.stack.url}/hls/${sessionId}/live.m3u8?_HLS_msn=1`);
    signal(await processesOf(live.stack, 'services/segmenter'), 'SIGKILL');
    for (const push of pushes) expect(await push.ended).toBe(0);
    const [a, b, c] = pushes.map(({ sessionId }) => sessionId);
    sessions = { counted: a!, clicks: b!, face: c! };
    facesBefore = await (await api(sessions.face, '/faces')).text();
    // As the janitor does after RETENTION_MINUTES.
    for (const { sessionId } of pushes)
      await rm(join(live.stack.hlsDir, sessionId), { recursive: true });
  });

  test('have every frame once and in order, as HLS and as one MP4', async () => {
    for (const url of urlsOf(sessions.counted)) {
      const numbers: number[] = [];
      for await (const frame of playFrames(url, SIZE))
        numbers.push(readFrameCounter(greenPlane(frame), SIZE.width));
      expect(numbers).toEqual(ALL);
    }
  });

  test('have audio and video in sync', async () => {
    for (const url of urlsOf(sessions.clicks)) {
      const { flashes, clicks } = await flashesAndClicks(url);
      expect(flashes).toHaveLength(6);
      expect(clicks).toHaveLength(6);
      clicks.forEach((at, n) => expect(Math.abs(at - (flashes[n] ?? NaN))).toBeLessThan(IN_SYNC));
    }
  });

  test('have the faces and stats of their sessions', async () => {
    expect(await (await api(sessions.face, '/faces')).text()).toBe(facesBefore);
    const stats = await statsOf(live.stack, sessions.face);
    expect(stats).toMatchObject({ state: 'ended', framesOut: 180, recording: 'on' });
    const lines = facesBefore.split('\n').filter((line) => line !== '');
    expect(lines.length).toBeGreaterThanOrEqual(await leastFinds(live.stack, sessions.face));
    expect((await fetch(`${live.stack.url}/hls/${sessions.face}/live.m3u8`)).status).toBe(404);
  });

  test('play in a browser, with hls.js and without, and can be seeked', async () => {
    const browser = await launchChromium('/dev/null');
    const page = await HlsJsPage.open(browser);
    try {
      const [playlist = '', mp4 = ''] = urlsOf(sessions.counted);
      const { decoded } = await page.play(playlist, { lowLatencyMode: false });
      expect(decoded).toBe(FRAMES);
      const plain = await newPage(browser);
      await plain.goto(live.stack.url);
      const seeked = await plain.evaluate(async (src) => {
        const video = document.createElement('video');
        const happens = (type: string) =>
          new Promise((resolve, reject) => {
            video.addEventListener(type, resolve, { once: true });
            video.addEventListener('error', () => reject(new Error(video.error?.message)));
          });
        video.src = src;
        await happens('loadedmetadata');
        video.currentTime = 7.5;
        await happens('seeked');
        return { duration: video.duration, at: video.currentTime, width: video.videoWidth };
      }, mp4);
      // The last audio frame is a little longer than the video.
      expect(seeked).toEqual({ duration: expect.closeTo(10, 1) as number, at: 7.5, width: 640 });
    } finally {
      await page.close();
      await browser.close();
    }
  });
});

test('a session is not recorded unless that was asked for', async () => {
  const push = await startPush(live.stack, live.clip);
  await push.stop();
  const answer = await api(push.sessionId, '/recording.mp4');
  expect(answer.status).toBe(404);
  const sentence = 'There is no recording of this session (any more).';
  expect(await answer.json()).toEqual({ error: { code: 'not_found', message: sentence } });
});
