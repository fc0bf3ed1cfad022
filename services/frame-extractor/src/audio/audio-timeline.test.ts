import { SAMPLE_BYTES, SAMPLE_RATE } from '@facecast/shared/media/audio';
import { beforeEach, describe, expect, test } from 'vitest';
import { AudioTimeline } from './audio-timeline.js';

/** Of one block, as Opus has it. */
const BLOCK = 960;
const BLOCK_US = 20_000;

/** Samples that say their own number, from `first` on. */
function numbered(first: number, count = BLOCK): Buffer {
  const samples = Buffer.alloc(count * SAMPLE_BYTES);
  for (let n = 0; n < count; n++) samples.writeUInt32LE(first + n + 1, n * SAMPLE_BYTES);
  return samples;
}

/** The numbers of samples; -1 where there is silence. */
const numbers = (samples: Buffer) =>
  Array.from(
    { length: samples.length / SAMPLE_BYTES },
    (_, n) => samples.readUInt32LE(n * SAMPLE_BYTES) - 1,
  );
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const silence = (count: number) => Array.from({ length: count }, () => -1);

describe('the audio of a session', () => {
  let line: AudioTimeline;
  const addBlocks = (count: number, time: (n: number) => number) => {
    for (let n = 0; n < count; n++) line.add(time(n), numbered(n * BLOCK));
  };
  const take = (from: number, to: number) => numbers(line.take(from, to));

  beforeEach(() => {
    line = new AudioTimeline();
    line.begin(0, 0);
  });

  test('comes out at its time, whatever is asked for at once', () => {
    addBlocks(20, (n) => n * BLOCK_US);
    expect(line.end).toBe(20 * BLOCK);
    expect(take(0, 4800)).toEqual(range(0, 4800));
    expect(take(4800, 4801)).toEqual([4800]);
    expect(take(4801, 9600)).toEqual(range(4801, 9600));
  });

  test.each<[string, (n: number) => number]>([
    ['rounded to milliseconds', (n) => Math.round(n * 20.4) * 1000 - Math.round(n * 0.4) * 1000],
    ['unsteady by 15 ms', (n) => n * BLOCK_US + (n ? 15_000 * Math.sin(n * 7) : 0)],
    ['not there', () => NaN],
  ])('has no gap where timestamps are %s', (_, time) => {
    addBlocks(100, time);
    expect(take(0, 100 * BLOCK)).toEqual(range(0, 100 * BLOCK));
  });

  test('is silent before its first, in a gap, and after its last', () => {
    line.add(10_000, numbered(0));
    line.add(100_000, numbered(BLOCK));
    expect(take(0, 9600)).toEqual([
      ...silence(480),
      ...range(0, BLOCK),
      ...silence(4800 - 480 - BLOCK),
      ...range(BLOCK, 2 * BLOCK),
      ...silence(9600 - 4800 - BLOCK),
    ]);
  });

  test('keeps its time when its clock drifts: never more than 20 ms off', () => {
    // A sound card that is 0.5 % slow, for a minute.
    let [time, worst] = [0, 0];
    for (let n = 0; n < 3000; n++) {
      line.add(time, numbered(n * BLOCK));
      const is = line.end - BLOCK;
      worst = Math.max(worst, Math.abs(is - (time * SAMPLE_RATE) / 1e6));
      time += BLOCK_US * 1.005;
      line.take(is, is + 1);
    }
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(0.02 * SAMPLE_RATE + 1);
  });

  test('that comes too late is not heard at another time', () => {
    expect(take(0, BLOCK / 2)).toEqual(silence(BLOCK / 2));
    line.add(0, numbered(0));
    expect(take(BLOCK / 2, 2 * BLOCK)).toEqual([...range(BLOCK / 2, BLOCK), ...silence(BLOCK)]);
  });

  test('that comes before the first picture waits for the clock', () => {
    line = new AudioTimeline();
    for (let n = 0; n < 5; n++) line.add(1_000_000 + n * BLOCK_US, numbered(n * BLOCK));
    expect(line.end).toBe(0);
    // The first picture came 40 ms after the first audio: of that, nothing is seen or heard.
    line.begin(1_040_000, 0);
    expect(take(0, 3 * BLOCK)).toEqual(range(2 * BLOCK, 5 * BLOCK));
  });

  test('goes on with another clock after a cut', () => {
    addBlocks(10, (n) => n * BLOCK_US);
    // By the old clock these are far ahead, and the cut is at sample 4800.
    line.add(20_000_000, numbered(0));
    line.begin(20_020_000 - 100_000, 4800);
    line.add(20_020_000, numbered(BLOCK));
    expect(take(0, 4800)).toEqual(range(0, 4800));
    expect(take(4800, 4800 + BLOCK)).toEqual(range(BLOCK, 2 * BLOCK));
    expect(take(20 * SAMPLE_RATE, 20 * SAMPLE_RATE + BLOCK)).toEqual(silence(BLOCK));
  });

  test('says when half a minute of it is held, and that there is room once some is taken', () => {
    addBlocks(1499, (n) => n * BLOCK_US);
    expect(line.isFull).toBe(false);
    line.add(1499 * BLOCK_US, numbered(0));
    expect(line.isFull).toBe(true);
    line.take(0, BLOCK);
    expect(line.isFull).toBe(false);
    line = new AudioTimeline();
    addBlocks(1500, (n) => n * BLOCK_US);
    expect(line.isFull).toBe(true);
  });

  test('is bounded: what is half a minute ahead of the pictures is dropped', () => {
    addBlocks(2000, (n) => n * BLOCK_US);
    expect(line.end).toBe(30 * SAMPLE_RATE);
    line = new AudioTimeline();
    addBlocks(2000, (n) => n * BLOCK_US);
    line.begin(0, 0);
    expect(line.end).toBe(30 * SAMPLE_RATE);
    line.take(0, 4800);
    line.add(500_000_000, numbered(0));
    expect(line.end).toBe(30 * SAMPLE_RATE);
  });
});
