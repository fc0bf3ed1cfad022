import { AudioSample } from 'mediabunny';
import { expect, test } from 'vitest';
import { SteadyAudio } from './steady-audio.js';

const SECONDS = 0.02;
const FORMAT = { sampleRate: 48_000, numberOfChannels: 2, format: 'f32' as const };

function heard(): AudioSample {
  const data = new Float32Array(FORMAT.sampleRate * SECONDS * FORMAT.numberOfChannels).fill(0.5);
  return new AudioSample({ ...FORMAT, data, timestamp: 0 });
}

/** Begin and end in ms, and whether it is silence, of what is to be encoded. */
function written(samples: AudioSample[]): [number, number, boolean][] {
  return samples.map((sample) => {
    const data = new Float32Array(sample.numberOfFrames * sample.numberOfChannels);
    sample.copyTo(data, { planeIndex: 0, format: 'f32' });
    const [begin, end] = [sample.timestamp, sample.timestamp + sample.duration];
    return [Math.round(1000 * begin), Math.round(1000 * end), data.every((value) => value === 0)];
  });
}

test('audio that comes unevenly is one piece after another', () => {
  const audio = new SteadyAudio();
  const all = [0.1, 0.125, 0.135].flatMap((at) => written(audio.from(heard(), at)));
  expect(all).toEqual([
    [100, 120, false],
    [120, 140, false],
    [140, 160, false],
  ]);
});

test('a gap is silent, and what comes after its time was filled is left out', () => {
  const audio = new SteadyAudio();
  audio.from(heard(), 0);
  expect(written(audio.from(heard(), 0.5))).toEqual([
    [20, 500, true],
    [500, 520, false],
  ]);
  expect(written(audio.from(heard(), 0.3))).toEqual([]);
  expect(written(audio.from(heard(), 0.52))).toEqual([[520, 540, false]]);
});

test('video does not wait for a microphone that gives nothing, at first and later', () => {
  const never = new SteadyAudio();
  expect([0, 0.4].flatMap((at) => written(never.until(at)))).toEqual([]);
  expect(written(never.until(0.6))).toEqual([[0, 400, true]]);

  const audio = new SteadyAudio();
  audio.from(heard(), 0);
  expect(written(audio.until(0.5))).toEqual([]);
  expect(written(audio.until(2.22))).toEqual([
    [20, 1020, true],
    [1020, 2020, true],
  ]);
  expect(written(audio.from(heard(), 2.02))).toEqual([[2020, 2040, false]]);
});
