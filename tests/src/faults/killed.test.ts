import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { stackAndSound } from '../support/fixtures.js';
import { ffmpegsOf, signal } from '../support/processes.js';
import { FAULTS, running, SERVICES } from './kinds.js';

const around = stackAndSound();

describe('no frame and no audio is lost if something is killed:', () => {
  test('a detector, again and again', async () => {
    const { viewer, endsWhole } = await around.live();
    for (let n = 0; n < 4; n++) {
      await FAULTS['a detector is killed'](around.stack);
      await viewer.parts(10);
    }
    await endsWhole();
  });

  test('the segmenter', async () => {
    const { viewer, endsWhole } = await around.live();
    await FAULTS['the segmenter is killed'](around.stack);
    await endsWhole();
    expect(viewer.discontinuities).toBe(1);
  });

  test('the frame-extractor', async () => {
    const { viewer, endsWhole } = await around.live();
    await FAULTS['the frame-extractor is killed'](around.stack);
    await endsWhole();
    expect(viewer.discontinuities).toBe(0);
  });

  test('the audio decoder', async () => {
    const { endsWhole } = await around.live();
    await FAULTS['the audio decoder is killed'](around.stack);
    await endsWhole();
  });

  test('the gateway that holds publisher and viewer', async () => {
    const { publisher, endsWhole } = await around.live();
    await FAULTS['the gateway is killed'](around.stack);
    await endsWhole();
    expect(publisher.losses).toBe(1);
  });

  test('Redis', async () => {
    const { endsWhole } = await around.live();
    await FAULTS['Redis is killed'](around.stack);
    await endsWhole();
  });
});

test('viewers do not notice a rolling update: SIGTERM to each service in turn', async () => {
  const { viewer, endsWhole } = await around.live();
  for (const service of SERVICES)
    for (const one of await running(around.stack, service)) {
      signal([one], 'SIGTERM');
      await viewer.parts(10);
    }
  await endsWhole();
});

test('a session that cannot be saved ends, and its publisher is told why', async () => {
  const { publisher, viewer } = await around.live();
  let isOver = false;
  const refused = publisher.refused().finally(() => (isOver = true));
  refused.catch(() => {});
  while (!isOver) {
    signal(await ffmpegsOf(around.stack, 'services/frame-extractor'), 'SIGKILL');
    await after(50);
  }
  await expect(refused).rejects.toThrow(/^internal: The decoder died again and again/);
  viewer.leave();
});
