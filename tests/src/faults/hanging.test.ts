import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { flashes } from '../sources/watched.js';
import { faceClip, facePlace, HEIGHT, WIDTH } from '../support/clips.js';
import { stackAndSound } from '../support/fixtures.js';
import { startLive } from '../support/live-session.js';
import { toGray } from '../support/live-viewer.js';
import { present, processesOf, replaced, signal } from '../support/processes.js';
import { sharpness } from '../support/sharpness.js';
import { FAULTS, running, soundDecoders } from './kinds.js';

const around = stackAndSound();

/** Removes the newest batch's decoded frames from a session's directory in the frame store. */
async function loseFrames(directory: string): Promise<void> {
  for (;;) {
    const batches = (await readdir(directory)).filter((name) => /^\d+\.decoded$/.test(name));
    const newest = Math.max(...batches.map((name) => Number.parseInt(name)));
    const isLost = await rm(join(directory, `${newest}.decoded`)).then(
      () => true,
      () => false,
    );
    if (isLost) return;
  }
}

describe('no frame and no audio is lost if something hangs or is gone:', () => {
  test('the encoder', async () => {
    const { viewer, endsWhole } = await around.live();
    await FAULTS['the encoder hangs'](around.stack);
    await endsWhole();
    expect(viewer.discontinuities).toBe(1);
  });

  test('the decoder', async () => {
    const { endsWhole } = await around.live();
    await FAULTS['the decoder hangs'](around.stack);
    await endsWhole();
  });

  test('Redis for five seconds, which /readyz reports', async () => {
    const { endsWhole } = await around.live();
    const readiness = async () => (await fetch(`${around.stack.url}/readyz`)).status;
    const before = await present(() => processesOf(around.stack, 'redis-server'));
    signal(before, 'SIGKILL');
    const redis = await replaced(around.stack, 'redis-server', before);
    signal(redis, 'SIGSTOP');
    await expect.poll(readiness).toBe(503);
    await after(5_000);
    signal(redis, 'SIGCONT');
    await endsWhole();
    await expect.poll(readiness).toBe(200);
  });

  test('the frames of a batch that was not searched yet', async () => {
    const { publisher, endsWhole } = await around.live();
    const detectors = await running(around.stack, 'face-detector');
    signal(detectors, 'SIGSTOP');
    await loseFrames(join(around.stack.framesDir, publisher.sessionId));
    signal(detectors, 'SIGCONT');
    await endsWhole();
  });

  test("the publisher's network for ten seconds", async () => {
    const { publisher, viewer, endsWhole } = await around.live();
    publisher.disconnect();
    await after(10_000);
    publisher.reconnect();
    await endsWhole(110);
    expect(publisher.losses).toBe(1);
    expect(viewer.discontinuities).toBe(0);
  });

  test('all detectors for five seconds: unsearched frames are counted, and blurred as a whole', async () => {
    const path = join(around.media, 'face.webm');
    await faceClip(path, 15);
    const face = await readFile(path);
    const [boxes, blurred] = await Promise.all([
      around.live(),
      startLive(around.stack, face, 'blur'),
    ]);
    const detectors = await running(around.stack, 'face-detector');
    signal(detectors, 'SIGSTOP');
    const before = await Promise.all([boxes.stats(), blurred.stats()]);
    for (const [n, session] of [boxes, blurred].entries())
      await expect
        .poll(async () => (await session.stats()).framesUndetected)
        .toBeGreaterThan(before[n]!.framesUndetected + 120);
    signal(detectors, 'SIGCONT');
    await boxes.endsWhole();

    const frames = await blurred.end();
    const pictures = await blurred.viewer.pictures();
    expect(pictures).toHaveLength(frames);
    const source = await toGray(face, 'null');
    const [clear] = [source.subarray(0, WIDTH * HEIGHT)];
    const inFace = pictures.map((picture, n) => sharpness(picture, facePlace(n)));
    expect(Math.max(...inFace)).toBeLessThan(sharpness(clear, facePlace(0)) / 3);
    const flat = pictures.filter((picture) => sharpness(picture) < sharpness(clear) / 10);
    expect(flat.length).toBeGreaterThan(90);
    // A busy machine may search none in time. A few frames around the unsearched ones are hidden, too.
    const { framesUndetected } = await blurred.stats();
    expect(flat.length).toBeLessThan(framesUndetected + 30);
  });
});

test('an audio decoder that hangs is replaced, and no frame is lost', async () => {
  const { endsInOrder } = await around.live();
  const hung = await soundDecoders(around.stack);
  signal(hung, 'SIGSTOP');
  const gone = new Set(hung.map(({ pid }) => pid));
  await present(async () =>
    (await soundDecoders(around.stack)).filter(({ pid }) => !gone.has(pid)),
  );
  const watched = await endsInOrder(40);
  const last = flashes(watched)
    .filter(({ seconds }) => seconds < watched.soundEnd! - 0.5)
    .at(-1)!;
  const offsets = watched.clicks!.map((click) => Math.abs(click - last.seconds));
  expect(Math.min(...offsets)).toBeLessThan(0.04);
});
