import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faceClip, facePlace, HEIGHT, WIDTH } from '../support/clips.js';
import { startLive } from '../support/live-session.js';
import { toGray } from '../support/live-viewer.js';
import { flashes } from '../sources/watched.js';
import { ffmpegsOf, present, processesOf, replaced, signal } from '../support/processes.js';
import { sharpness } from '../support/sharpness.js';
import { startStack, type Stack } from '../support/stack.js';
import { liveOf, makeSoundingClip, type SoundingClip } from './live-marked.js';

/** Longer than any of these sessions lasts. */
const CLIP_SECONDS = 40;

let stack: Stack;
let media: string;
let clip: SoundingClip;
let face: Buffer;

beforeAll(async () => {
  media = await mkdtemp(join(tmpdir(), 'facecast-faults-'));
  clip = await makeSoundingClip(join(media, 'marked.webm'), CLIP_SECONDS);
  const facePath = join(media, 'face.webm');
  await faceClip(facePath, 30);
  face = await readFile(facePath);
  stack = await startStack({ DETECTOR_REPLICAS: '2' });
});

afterAll(async () => {
  await stack?.stop();
  await rm(media, { recursive: true, force: true });
});

const live = () => liveOf(stack, clip);

/** A service's processes, once they are there. */
const running = (service: string, count = 1) =>
  present(() => processesOf(stack, `services/${service}`), count);
/** Its ffmpegs, as many as sound and pictures need. */
const ffmpegs = (service: string) => present(() => ffmpegsOf(stack, `services/${service}`), 2);

/** The ffmpegs that decode the sound of sessions. */
async function soundDecoders() {
  const all = await ffmpegsOf(stack, 'services/frame-extractor');
  return all.filter(({ command }) => command.includes('0:a:0'));
}

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

describe('every frame comes once and in order, and all of the sound with it, whoever is killed:', () => {
  test('a detector, again and again', async () => {
    const { viewer, endsWhole } = await live();
    for (let n = 0; n < 4; n++) {
      const detectors = await running('face-detector', 2);
      signal([detectors[n % 2]!], 'SIGKILL');
      await viewer.parts(10);
    }
    await endsWhole();
  });

  test('the segmenter', async () => {
    const { viewer, endsWhole } = await live();
    signal(await running('segmenter'), 'SIGKILL');
    await endsWhole();
    expect(viewer.discontinuities).toBe(1);
  });

  test('the frame-extractor', async () => {
    const { viewer, endsWhole } = await live();
    signal(await running('frame-extractor'), 'SIGKILL');
    await endsWhole();
    expect(viewer.discontinuities).toBe(0);
  });

  test('the decoder of the sound', async () => {
    const { endsWhole } = await live();
    signal(await present(soundDecoders), 'SIGKILL');
    await endsWhole();
  });

  test('the gateway that holds publisher and viewer', async () => {
    const { publisher, endsWhole } = await live();
    signal(await running('gateway'), 'SIGKILL');
    await endsWhole();
    expect(publisher.losses).toBe(1);
  });

  test('Redis', async () => {
    const { endsWhole } = await live();
    const redis = await present(() => processesOf(stack, 'redis-server'));
    signal(redis, 'SIGKILL');
    await replaced(stack, 'redis-server', redis);
    await endsWhole();
  });
});

describe('every frame comes once and in order, and all of the sound with it, whoever hangs or is gone:', () => {
  test('the encoder', async () => {
    const { viewer, endsWhole } = await live();
    signal(await ffmpegs('segmenter'), 'SIGSTOP');
    await endsWhole();
    expect(viewer.discontinuities).toBe(1);
  });

  test('the decoder', async () => {
    const { endsWhole } = await live();
    signal(await ffmpegs('frame-extractor'), 'SIGSTOP');
    await endsWhole();
  });

  test('Redis for five seconds, of which /readyz tells', async () => {
    const { endsWhole } = await live();
    const readiness = async () => (await fetch(`${stack.url}/readyz`)).status;
    const before = await present(() => processesOf(stack, 'redis-server'));
    signal(before, 'SIGKILL');
    const redis = await replaced(stack, 'redis-server', before);
    signal(redis, 'SIGSTOP');
    await expect.poll(readiness).toBe(503);
    await after(5_000);
    signal(redis, 'SIGCONT');
    await endsWhole();
    await expect.poll(readiness).toBe(200);
  });

  test('the frames of a batch that nobody has searched yet', async () => {
    const { publisher, endsWhole } = await live();
    const detectors = await running('face-detector', 2);
    signal(detectors, 'SIGSTOP');
    await loseFrames(join(stack.framesDir, publisher.sessionId));
    signal(detectors, 'SIGCONT');
    await endsWhole();
  });

  test("the publisher's network for ten seconds", async () => {
    const { publisher, viewer, endsWhole } = await live();
    publisher.disconnect();
    await after(10_000);
    publisher.reconnect();
    await endsWhole(110);
    expect(publisher.losses).toBe(1);
    expect(viewer.discontinuities).toBe(0);
  });

  test('all detectors for five seconds: what was not searched is counted, and blurred as a whole', async () => {
    const [boxes, blurred] = await Promise.all([live(), startLive(stack, face, 'blur')]);
    const detectors = await running('face-detector', 2);
    signal(detectors, 'SIGSTOP');
    const before = await boxes.stats();
    await boxes.viewer.parts(50);
    const gone = await boxes.stats();
    signal(detectors, 'SIGCONT');
    expect(gone.framesUndetected - before.framesUndetected).toBeGreaterThan(90);
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
    expect(flat.length).toBeLessThan(frames);
  });
});

test('a decoder of sound that hangs is replaced, and no picture is lost for it', async () => {
  const { endsInOrder } = await live();
  const hung = await present(soundDecoders);
  signal(hung, 'SIGSTOP');
  const gone = new Set(hung.map(({ pid }) => pid));
  await present(async () => (await soundDecoders()).filter(({ pid }) => !gone.has(pid)));
  const watched = await endsInOrder(40);
  const last = flashes(watched)
    .filter(({ seconds }) => seconds < watched.soundEnd! - 0.5)
    .at(-1)!;
  const offsets = watched.clicks!.map((click) => Math.abs(click - last.seconds));
  expect(Math.min(...offsets)).toBeLessThan(0.04);
});

test('a session that cannot be saved ends, and its publisher is told why', async () => {
  const { publisher, viewer } = await live();
  let isOver = false;
  const refused = publisher.refused().finally(() => (isOver = true));
  refused.catch(() => {});
  while (!isOver) {
    signal(await ffmpegsOf(stack, 'services/frame-extractor'), 'SIGKILL');
    await after(50);
  }
  await expect(refused).rejects.toThrow(/^internal: The decoder died again and again/);
  viewer.leave();
});

test('nobody sees a rolling update: SIGTERM to each service in turn', async () => {
  const { viewer, endsWhole } = await live();
  for (const service of ['face-detector', 'frame-extractor', 'segmenter', 'gateway'])
    for (const one of await running(service, service === 'face-detector' ? 2 : 1)) {
      signal([one], 'SIGTERM');
      await viewer.parts(10);
    }
  await endsWhole();
});
