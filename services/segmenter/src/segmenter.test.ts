import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AAC_FRAME_SAMPLES } from './encode/audio-encoder.js';
import { HEIGHT, playNumbers, upTo, WIDTH } from './testing/test-frames.js';
import { play } from './testing/test-audio.js';

import {
  beginSession,
  discontinuities,
  endInput,
  events,
  frames,
  hlsDir,
  keysOf,
  mark,
  markWithSound,
  next,
  playWithInit,
  playlist,
  playlistPath,
  published,
  registry,
  shuffled,
  start,
  stop,
  useSegmenters,
} from './testing/use-segmenters.js';

useSegmenters();

describe('a session', () => {
  test('comes out with every frame, once and in order, whatever order its batches came in', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    for (const batch of shuffled(50)) await mark(sessionId, batch);
    await endInput(sessionId, 50);
    expect(await ended).toEqual({ type: 'ended', sessionId, frames: 150 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(150));
    expect(await playlist(sessionId)).toMatchObject({ endlist: true });
  });

  test('leaves its playlist and summary, and nothing else', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    for (const batch of upTo(12)) await mark(sessionId, batch);
    await endInput(sessionId, 12);
    await ended;
    await expect.poll(() => keysOf(sessionId)).toEqual([]);
    expect(await frames.sessions()).toEqual([]);
    const names = await readdir(join(hlsDir, sessionId));
    expect(names.filter((name) => !/^(\d+(\.\d+)?\.m4s|init-0\.mp4)$/.test(name)).sort()).toEqual([
      'faces.ndjson',
      'live.m3u8',
      'protection.json',
      'session.json',
    ]);
    expect(
      JSON.parse(await readFile(join(hlsDir, sessionId, 'session.json'), 'utf8')),
    ).toMatchObject({
      sessionId,
      state: 'ended',
      framesIn: 36,
      framesOut: 36,
      width: WIDTH,
      height: HEIGHT,
    });
  });

  test('is announced once when its playlist is there, and each part when it is listed', async () => {
    start();
    const sessionId = await beginSession();
    const told: string[] = [];
    events.on((event) => {
      if (event.type === 'playlist_ready') told.push(event.playlistUrl);
      if (event.type === 'part') told.push(`${event.msn}.${event.part}`);
    });
    const ready = next('playlist_ready', sessionId);
    await mark(sessionId, 0);
    await ready;
    expect(await playlist(sessionId)).toMatchObject({ endlist: false });
    for (const batch of upTo(12).slice(1)) {
      const part = next('part', sessionId);
      await mark(sessionId, batch);
      expect(await part).toMatchObject({ batches: batch + 1 });
    }
    expect(told.filter((each) => each.startsWith('/'))).toEqual([`/hls/${sessionId}/live.m3u8`]);
    expect(told.filter((each) => !each.startsWith('/'))).toEqual([
      ...upTo(10).map((part) => `1.${part}`),
      '2.0',
      '2.1',
    ]);
  });

  test('has a batch removed only once it is listed', async () => {
    start();
    const sessionId = await beginSession();
    const first = published(sessionId, 1);
    await mark(sessionId, 0);
    await mark(sessionId, 2);
    await first;
    const second = published(sessionId, 3);
    expect(await frames.read({ sessionId, batch: 2, kind: 'marked' })).toBeDefined();
    await mark(sessionId, 1);
    await second;
    const ended = next('ended', sessionId);
    await endInput(sessionId, 3);
    await ended;
  });

  test('shows a repeated batch once, and keeps nothing of it', async () => {
    start();
    const sessionId = await beginSession();
    for (const batch of [1, 1, 0, 0, 2]) await mark(sessionId, batch);
    const all = published(sessionId, 4);
    await mark(sessionId, 1);
    await mark(sessionId, 3);
    await all;
    const ended = next('ended', sessionId);
    await endInput(sessionId, 4);
    await ended;
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(12));
  });

  test('tells its stats about once a second, and the registry knows them', async () => {
    start();
    const sessionId = await beginSession();
    const stats = next('stats', sessionId, (event) => event.stats.framesOut === 9);
    const face = { id: 0, x: 1, y: 2, width: 3, height: 4, score: 1 };
    await mark(sessionId, 0);
    await mark(sessionId, 1, {
      frames: upTo(3).map(() => ({ searched: false, hidden: false, faces: [] })),
    });
    await mark(sessionId, 2, {
      frames: upTo(3).map(() => ({ searched: true, hidden: false, faces: [face] })),
    });
    expect((await stats).stats).toMatchObject({ state: 'live', framesUndetected: 3, faces: 1 });
    const again = next('stats', sessionId);
    await again;
    expect(await registry.get(sessionId)).toMatchObject({
      state: 'live',
      stats: { framesOut: 9, width: WIDTH },
    });
    const timeline = await readFile(join(hlsDir, sessionId, 'faces.ndjson'), 'utf8');
    expect(
      timeline
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { frame: number }).frame),
    ).toEqual([6, 7, 8]);
  });

  test("changes its picture's size with a discontinuity", async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    const larger = { width: WIDTH * 2, height: HEIGHT * 2 };
    for (const batch of upTo(14)) await mark(sessionId, batch);
    for (const batch of upTo(30).slice(14)) await mark(sessionId, batch, larger);
    await endInput(sessionId, 30);
    await ended;
    expect(await discontinuities(sessionId)).toBe(1);
    // ffmpeg's HLS reader cannot change the size on its way, so each half is played by itself.
    expect(await playWithInit(sessionId, 'init-0.mp4')).toEqual(upTo(42));
    expect(await playWithInit(sessionId, 'init-1.mp4')).toEqual(upTo(90).slice(42));
  });

  test('may end with a batch that is not whole', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    await mark(sessionId, 0);
    await mark(sessionId, 1, {
      frameCount: 1,
      frames: [{ searched: true, hidden: false, faces: [] }],
    });
    await endInput(sessionId, 2, { frames: 4 });
    expect(await ended).toMatchObject({ frames: 4 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(4));
  });

  test('does not touch another that runs beside it', async () => {
    start();
    const sessions = [await beginSession(), await beginSession()];
    const ended = Promise.all(sessions.map((sessionId) => next('ended', sessionId)));
    for (const batch of shuffled(25))
      for (const sessionId of sessions) await mark(sessionId, batch);
    for (const sessionId of sessions) await endInput(sessionId, 25);
    await ended;
    for (const sessionId of sessions)
      expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(75));
  });
});

describe('a session with sound', () => {
  const heard = async (sessionId: string, batch: number) =>
    (await frames.read({ sessionId, batch, kind: 'sound' })) !== undefined;

  test('is heard in step with its pictures, also after another replica took it over', async () => {
    const first = start();
    const sessionId = await beginSession();
    const begun = published(sessionId, 13);
    for (const batch of upTo(17)) await markWithSound(sessionId, batch);
    await begun;
    await stop(first);
    start();
    const ended = next('ended', sessionId);
    for (const batch of upTo(42).slice(17)) await markWithSound(sessionId, batch);
    await endInput(sessionId, 42);
    expect(await ended).toMatchObject({ frames: 126 });
    expect(await discontinuities(sessionId)).toBe(1);
    const played = await play(playlistPath(sessionId));
    expect(played.clicks).toHaveLength(5);
    played.clicks.forEach((at, second) => {
      expect(played.flashes[second]).toBeCloseTo(second, 3);
      expect(Math.abs(at - second)).toBeLessThan(0.02);
    });
    expect(4.2 - played.sound.to).toBeLessThan(0.065);
    expect(played.longestSilence).toBeLessThan(AAC_FRAME_SAMPLES);
  });

  test("keeps a batch's sound for as long as a new encoder would need it", async () => {
    start();
    const sessionId = await beginSession();
    const listed = published(sessionId, 5);
    for (const batch of upTo(5)) await markWithSound(sessionId, batch);
    await listed;
    const left = async () => Promise.all(upTo(5).map((batch) => heard(sessionId, batch)));
    await expect.poll(left).toEqual([false, false, false, false, true]);
    const ended = next('ended', sessionId);
    await endInput(sessionId, 5);
    await ended;
  });
});
