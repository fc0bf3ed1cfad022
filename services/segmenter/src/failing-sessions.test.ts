import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JobQueue } from '@facecast/shared/redis/queues';
import { describe, expect, test } from 'vitest';
import { renderedBatch } from './testing/cadence.js';
import { playNumbers, upTo } from './testing/test-frames.js';

import {
  beginSession,
  discontinuities,
  endInput,
  frames,
  hlsDir,
  keysOf,
  killEncoders,
  mark,
  next,
  playlist,
  playlistPath,
  published,
  redis,
  registry,
  renderedLog,
  shuffled,
  start,
  stop,
  useSegmenters,
} from './testing/use-segmenters.js';

useSegmenters();

describe('a session that fails', () => {
  test('without a frame leaves no folder', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    const error = { code: 'unsupported_media', message: 'No video.' } as const;
    await endInput(sessionId, 0, { error });
    expect(await ended).toEqual({ type: 'ended', sessionId, frames: 0, error });
    expect(await readdir(hlsDir).catch(() => [])).toEqual([]);
    await expect.poll(() => keysOf(sessionId)).toEqual([]);
  });

  test('in the middle ends with what it has, and says why', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    const error = { code: 'unsupported_media', message: 'The video is damaged.' } as const;
    for (const batch of upTo(4)) await mark(sessionId, batch);
    await endInput(sessionId, 4, { error });
    expect(await ended).toMatchObject({ frames: 12, error });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(12));
    expect(
      JSON.parse(await readFile(join(hlsDir, sessionId, 'session.json'), 'utf8')),
    ).toMatchObject({ state: 'ended', error });
  });

  test("for want of a batch's file ends instead of hanging", async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    await mark(sessionId, 0);
    await renderedLog.append(sessionId, renderedBatch(1, { sessionId }));
    expect(await ended).toMatchObject({ frames: 3, error: { code: 'internal' } });
    expect(await playlist(sessionId)).toMatchObject({ endlist: true });
    await expect.poll(() => keysOf(sessionId)).toEqual([]);
  });
});

describe('a session that cannot go on', () => {
  test.each([
    ['before the end of the input', false],
    ['after the end of the input', true],
  ])('because a batch is missing is ended, %s', async (_, inputEnded) => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    for (const batch of [0, 1, 3]) await mark(sessionId, batch);
    if (inputEnded) await endInput(sessionId, 4);
    expect(await ended).toMatchObject({ frames: 6, error: { code: 'internal' } });
    expect(await playlist(sessionId)).toMatchObject({ endlist: true });
    expect(await frames.sessions()).toEqual([]);
  });

  test('because its folder is missing is ended', async () => {
    start();
    const sessionId = await beginSession();
    const some = published(sessionId, 3);
    for (const batch of upTo(3)) await mark(sessionId, batch);
    await some;
    const ended = next('ended', sessionId);
    await rm(join(hlsDir, sessionId), { recursive: true });
    await mark(sessionId, 3);
    expect(await ended).toMatchObject({ error: { code: 'internal' } });
    await expect.poll(() => keysOf(sessionId)).toEqual([]);
  });

  test('because its playlist cannot be read is given up, and that is published', async () => {
    const sessionId = await beginSession();
    await mkdir(join(hlsDir, sessionId), { recursive: true });
    await writeFile(playlistPath(sessionId), 'no playlist');
    const ended = next('ended', sessionId);
    start();
    expect(await ended).toMatchObject({ error: { code: 'internal' } });
    expect(await registry.ids()).toEqual([]);
  });
});

describe('a batch that was lost on its way', () => {
  /** Adds the lease job of a frame-extractor that could make the batch again. */
  async function decode(sessionId: string) {
    const decoding = new JobQueue(redis, { kind: 'decode' });
    await decoding.add({ sessionId }, { jobId: sessionId });
    await decoding.close();
  }

  test.each([
    ['that others wait for', async () => {}],
    ['of which there is an entry and no frames', lostFrames],
  ])('%s, is requested until it comes, and no frame is lost', async (_, happens) => {
    start();
    const sessionId = await beginSession();
    await decode(sessionId);
    const asked = next('missing', sessionId);
    for (const batch of [0, 2, 3]) await mark(sessionId, batch);
    await happens(sessionId);
    expect(await asked).toMatchObject({ batch: 1 });
    expect(await next('missing', sessionId)).toMatchObject({ batch: 1 });
    const ended = next('ended', sessionId);
    await mark(sessionId, 1);
    await endInput(sessionId, 4);
    expect(await ended).toEqual({ type: 'ended', sessionId, frames: 12 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(12));
  });

  async function lostFrames(sessionId: string) {
    await renderedLog.append(sessionId, renderedBatch(1, { sessionId }));
  }
});

describe('a fault', () => {
  test('of the encoder costs no frame', async () => {
    const { metrics } = start();
    const sessionId = await beginSession();
    for (const killedAfter of [7, 20]) {
      const some = published(sessionId, killedAfter);
      for (const batch of upTo(killedAfter)) await mark(sessionId, batch);
      await some;
      await killEncoders();
    }
    const ended = next('ended', sessionId);
    for (const batch of upTo(33)) await mark(sessionId, batch);
    await endInput(sessionId, 33);
    expect(await ended).toMatchObject({ frames: 99 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(99));
    expect(await discontinuities(sessionId)).toBe(2);
    expect((await metrics.encoderReplacements.get()).values[0]?.value).toBe(2);
  });

  test('of the lease, which the same replica gets again, costs no frame', async () => {
    start();
    const sessionId = await beginSession();
    const some = published(sessionId, 14);
    for (const batch of upTo(14)) await mark(sessionId, batch);
    await some;
    await redis.del(`facecast:queue:segment:${sessionId}:lock`);
    const wonAgain = published(sessionId, 15);
    const waiting = expect.poll(() => redis.exists(`facecast:queue:segment:${sessionId}:lock`), {
      timeout: 60_000,
    });
    await waiting.toBe(1);
    for (const batch of upTo(25)) await mark(sessionId, batch);
    await wonAgain;
    const ended = next('ended', sessionId);
    await endInput(sessionId, 25);
    expect(await ended).toMatchObject({ frames: 75 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(75));
    expect(await discontinuities(sessionId)).toBe(1);
  });

  test('a replica that stops hands its session over, and no frame is lost or repeated', async () => {
    const first = start();
    const sessionId = await beginSession();
    const begun = published(sessionId, 13);
    const marking = (async () => {
      for (const batch of shuffled(60)) await mark(sessionId, batch);
      await endInput(sessionId, 60);
    })();
    await begun;
    const ended = next('ended', sessionId);
    await stop(first);
    const before = await playlist(sessionId);
    start();
    await marking;
    expect(await ended).toMatchObject({ frames: 180 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(180));
    const after = await playlist(sessionId);
    expect(after.segments.map(({ mediaSequenceNumber }) => mediaSequenceNumber)).toEqual(
      after.segments.map((_, index) => 1 + index),
    );
    before.segments.slice(0, -1).forEach(({ uri }, index) => {
      expect(after.segments[index]?.uri).toBe(uri);
    });
    expect(await discontinuities(sessionId)).toBe(1);
  });
});

/** Kills the encoders that this process has started, and nothing else. */
