import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { createLogger } from '@facecast/shared/runtime/logger';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPartHeader } from '../mp4/fragment.js';
import { MAX_REPLACEMENTS, PartEncoder } from './part-encoder.js';
import { AudioSource } from './audio-source.js';
import { CADENCE, renderedBatch } from '../testing/cadence.js';
import { HEIGHT, numberedFrames, WIDTH } from '../testing/test-frames.js';

describe('the encoder of a session', () => {
  let encoder: PartEncoder;
  let replaced: number;

  beforeEach(() => {
    replaced = 0;
    encoder = new PartEncoder({
      cadence: CADENCE,
      audioSource: new AudioSource(new DirectoryFrameStore('nowhere'), 'session', () => true),
      log: createLogger('test', 'fatal'),
      onReplaced: () => replaced++,
    });
  });

  afterEach(() => encoder.close());

  const encode = (batch: number, scale = 1) =>
    encoder.encode(
      renderedBatch(batch, { width: WIDTH * scale, height: HEIGHT * scale }),
      numberedFrames(batch * 3, 3, scale),
    );
  const signalEncoder = (signal: NodeJS.Signals) => process.kill(encoder.pids.video ?? 0, signal);

  test('a batch comes out before the next goes in, as one part', async () => {
    for (let batch = 0; batch < 12; batch++) {
      const { content, init } = await encode(batch);
      expect(readPartHeader(content)).toMatchObject({
        batch,
        firstFrame: batch * 3,
        frameCount: 3,
      });
      expect(init !== undefined).toBe(batch === 0);
    }
  });

  test('a last batch of fewer frames is a part of as many', async () => {
    await encode(0);
    const short = renderedBatch(1, { frameCount: 1 });
    const { content } = await encoder.encode(short, numberedFrames(3, 1));
    expect(readPartHeader(content)).toMatchObject({ batch: 1, firstFrame: 3, frameCount: 1 });
  });

  test('pictures of another size get an encoder of their own', async () => {
    const before = await encode(0);
    const after = await encode(1, 2);
    expect(after.init).toBeDefined();
    expect(after.init).not.toEqual(before.init);
    expect(replaced).toBe(0);
  });

  test('an encoder that is killed is replaced, and the batch is not lost', async () => {
    await encode(0);
    signalEncoder('SIGKILL');
    const { content, init } = await encode(1);
    expect(readPartHeader(content)).toMatchObject({ batch: 1 });
    expect(init).toBeDefined();
    expect(replaced).toBe(1);
  });

  test('an encoder that hangs is noticed and replaced', async () => {
    await encode(0);
    signalEncoder('SIGSTOP');
    expect(readPartHeader((await encode(1)).content)).toMatchObject({ batch: 1 });
    expect(replaced).toBe(1);
  });

  test('an encoder that fails now and then is replaced, however often', async () => {
    await encode(0);
    for (let failure = 1; failure <= 2 * MAX_REPLACEMENTS; failure++) {
      signalEncoder('SIGKILL');
      expect(readPartHeader((await encode(failure)).content)).toMatchObject({ batch: failure });
    }
    expect(replaced).toBe(2 * MAX_REPLACEMENTS);
  });

  test('encoders that keep failing at one batch end the session', async () => {
    await encode(0);
    let isOver = false;
    const failing = encode(1).finally(() => (isOver = true));
    failing.catch(() => {});
    const killed = new Set<number>();
    while (!isOver) {
      const { video } = encoder.pids;
      if (video !== undefined && !killed.has(video)) {
        killed.add(video);
        signalEncoder('SIGKILL');
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect(failing).rejects.toThrow('The encoders failed too often.');
    expect(replaced).toBe(MAX_REPLACEMENTS);
  });

  test('a batch of the wrong size is refused', async () => {
    await expect(encoder.encode(renderedBatch(0), numberedFrames(0, 2))).rejects.toThrow('damaged');
  });

  test('closing it ends a running encode and leaves no process', async () => {
    await encode(0);
    const { video } = encoder.pids;
    signalEncoder('SIGSTOP');
    const underWay = encode(1);
    const [result] = await Promise.allSettled([underWay, encoder.close()]);
    expect(result.status).toBe('rejected');
    expect(() => process.kill(video ?? 0, 0)).toThrow('ESRCH');
  });
});
