import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@facecast/shared/runtime/logger';
import { SAMPLE_BYTES, SAMPLE_RATE, samplesBefore } from '@facecast/shared/media/audio';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PartEncoder } from './part-encoder.js';
import {
  AAC_DELAY_FRAMES,
  AAC_FRAME_SAMPLES,
  AudioEncoder,
  SILENT_FRAME,
} from './audio-encoder.js';
import { batchesOfAudioHistory } from './audio-track.js';
import { CADENCE, renderedBatch } from '../testing/cadence.js';
import { probe, upTo } from '../testing/test-frames.js';
import { clicks, flashes, play } from '../testing/test-audio.js';

const SAMPLES = samplesBefore(CADENCE.framesPerBatch, CADENCE.fps);
/** Maximum offset between audio and video that the contract allows, in seconds. */
const IN_SYNC = 0.04;
/** A part's audio ends this much before its pictures do, at most: three frames of AAC. */
const LAG = 0.064;

describe('audio', () => {
  let folder: string;
  let file: string;
  let encoder: PartEncoder;
  let replaced: number;
  let readBatches: number[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facecast-sound-'));
    file = join(folder, 'all.mp4');
    replaced = 0;
    readBatches = [];
    encoder = open();
  });

  afterEach(async () => {
    await encoder.close();
    await rm(folder, { recursive: true });
  });

  function open(options: { silentFrom?: number; silentUntil?: number } = {}) {
    const read = (batch: number) => {
      readBatches.push(batch);
      const { silentFrom = Infinity, silentUntil = 0 } = options;
      const silent = batch >= silentFrom || batch < silentUntil;
      return Promise.resolve(silent ? undefined : clicks(batch * 3, 3));
    };
    return new PartEncoder({
      cadence: CADENCE,
      audioSource: { read, readNew: read },
      log: createLogger('test', 'fatal'),
      onReplaced: () => replaced++,
    });
  }

  const encode = (batch: number, samples = SAMPLES) =>
    encoder.encode(renderedBatch(batch, { samples }), flashes(batch * 3, 3));

  /** Encodes batches, and has ffmpeg play them. */
  async function playBatches(
    batches: number[],
    before: (batch: number) => void | Promise<void> = () => {},
    samples: (batch: number) => number = () => SAMPLES,
  ) {
    const contents: Buffer[] = [];
    for (const batch of batches) {
      await before(batch);
      const { init, content } = await encode(batch, samples(batch));
      // Only the first: the others describe the same tracks.
      if (init && contents.length === 0) contents.push(init);
      contents.push(content);
    }
    await writeFile(file, Buffer.concat(contents));
    return play(file);
  }

  function expectInSync(played: Awaited<ReturnType<typeof play>>, seconds: number[]) {
    expect(played.flashes.map((at) => Math.round(at * 1000) / 1000)).toEqual(seconds);
    expect(played.clicks).toHaveLength(seconds.length);
    played.clicks.forEach((at, n) => {
      expect(Math.abs(at - (seconds[n] ?? NaN))).toBeLessThan(IN_SYNC / 2);
    });
    expect(played.longestSilence).toBeLessThan(AAC_FRAME_SAMPLES);
  }

  test('is in sync with its video, from the first second on', async () => {
    const played = await playBatches(upTo(32));
    expectInSync(played, [0, 1, 2, 3]);
    expect(played.sound.from).toBe(0);
    expect(replaced).toBe(0);
    expect(3.2 - played.sound.to).toBeLessThan(LAG);
  });

  test.each([
    ['a whole batch', 3],
    ['a short one', 1],
  ])('lasts until the end of the last picture, in %s', async (_, frameCount) => {
    const contents: Buffer[] = [];
    for (const batch of upTo(12)) {
      const isLast = batch === 11;
      const count = isLast ? frameCount : 3;
      const marked = renderedBatch(batch, { samples: SAMPLES, frameCount: count });
      const { init, content } = await encoder.encode(marked, flashes(batch * 3, count), isLast);
      contents.push(...(init ? [init] : []), content);
    }
    await writeFile(file, Buffer.concat(contents));
    const played = await play(file);
    expectInSync(played, [0, 1]);
    const end = (33 + frameCount) / CADENCE.fps;
    expect(played.sound.to).toBeGreaterThanOrEqual(end);
    expect(played.sound.to).toBeLessThan(end + AAC_FRAME_SAMPLES / 48_000);
  });

  test('is a second track, which players find described', async () => {
    await playBatches(upTo(12));
    const entries =
      'stream=codec_type,codec_name,profile,sample_rate,channels,bits_per_raw_sample,time_base';
    expect(await probe(file, '-show_entries', entries)).toMatchObject({
      streams: [
        { codec_type: 'video', codec_name: 'h264' },
        {
          ...{ codec_type: 'audio', codec_name: 'aac', profile: 'LC' },
          ...{ sample_rate: '48000', channels: 2, time_base: '1/48000' },
        },
      ],
    });
  });

  test('has not drifted after an hour, at which a successor begins', async () => {
    await encoder.close();
    encoder = open();
    const played = await playBatches(upTo(12).map((batch) => 36_000 + batch));
    expectInSync(played, [3600, 3601]);
    expect(replaced).toBe(0);
    const before = readBatches.filter((batch) => batch < 36_000);
    expect(before).toHaveLength(batchesOfAudioHistory(CADENCE));
  });

  test.each(['video', 'audio'] as const)(
    'goes on without a gap when the %s encoder is replaced',
    async (which) => {
      const kill = () => process.kill(encoder.pids[which] ?? 0, 'SIGKILL');
      const played = await playBatches(upTo(32), (batch) => {
        if (batch === 15) kill();
      });
      expect(replaced).toBe(1);
      expectInSync(played, [0, 1, 2, 3]);
      expect(3.2 - played.sound.to).toBeLessThan(LAG);
    },
  );

  test('that is missing is silence, and later audio is in its place', async () => {
    await encoder.close();
    encoder = open({ silentFrom: 12 });
    const played = await playBatches(upTo(22));
    expect(played.clicks).toHaveLength(2);
    expect(played.longestSilence).toBeGreaterThan(4 * SAMPLES);
  });

  test('that begins later is heard from then on, in a track that was there from the start', async () => {
    await encoder.close();
    encoder = open({ silentUntil: 12 });
    const before = (batch: number) => {
      if (batch === 12) expect(encoder.pids.audio).toBeUndefined();
    };
    const played = await playBatches(upTo(32), before, (batch) => (batch < 12 ? 0 : SAMPLES));
    expect(played.sound.from).toBe(0);
    expect(played.flashes).toHaveLength(4);
    expect(played.clicks).toHaveLength(2);
    played.clicks.forEach((at, n) => expect(Math.abs(at - (n + 2))).toBeLessThan(IN_SYNC / 2));
    const silence = 12 * SAMPLES;
    expect(Math.abs(played.longestSilence - silence)).toBeLessThan(AAC_FRAME_SAMPLES);
    expect(3.2 - played.sound.to).toBeLessThan(LAG);
  });

  test('that has ended is complete if a successor goes on', async () => {
    const before = async (batch: number) => {
      if (batch !== 12) return;
      await encoder.close();
      encoder = open({ silentFrom: 12 });
    };
    const played = await playBatches(upTo(22), before, (batch) => (batch < 12 ? SAMPLES : 0));
    const silence = played.sound.to * SAMPLE_RATE - 12 * SAMPLES;
    expect(Math.abs(played.longestSilence - silence)).toBeLessThan(AAC_FRAME_SAMPLES);
  });

  test('of a session without any needs no encoder, and is as long as the video', async () => {
    const played = await playBatches(upTo(12), undefined, () => 0);
    expect(played.longestSilence).toBe(Math.round(played.sound.to * SAMPLE_RATE));
    expect(1.2 - played.sound.to).toBeLessThan(LAG);
    expect(encoder.pids.audio).toBeUndefined();
  });

  test('that is silent is encoded as the encoder would encode it', async () => {
    const audio = new AudioEncoder();
    const zeros = Buffer.alloc(40 * AAC_FRAME_SAMPLES * SAMPLE_BYTES);
    const frames = await audio.encode(zeros, 40 - AAC_DELAY_FRAMES);
    await audio.close();
    expect(frames).toEqual(Array(40 - AAC_DELAY_FRAMES).fill(SILENT_FRAME));
  });
});
