import { frameBytes } from '@facecast/shared/media/frame-store';
import { CHANNELS, SAMPLE_BYTES, SAMPLE_RATE, samplesBefore } from '@facecast/shared/media/audio';
import { onsets } from '@facecast/shared/testing/onsets';
import { CADENCE } from './cadence.js';
import { HEIGHT, probe, run, WIDTH } from './test-frames.js';

/** Pictures and audio that show and say the same at the same time, to be compared after decoding. */

/** Each second begins with a white picture, and with a click over a quiet hum. */
const CLICK_SECONDS = 0.02;
const [LOUD, QUIET] = [20_000, 1_500];
const HUM_HERTZ = 440;
const CLICK_HERTZ = 3_000;

/** The samples that go with these pictures. */
export function clicks(firstFrame: number, frameCount: number): Buffer {
  const from = samplesBefore(firstFrame, CADENCE.fps);
  const count = samplesBefore(firstFrame + frameCount, CADENCE.fps) - from;
  const samples = Buffer.alloc(count * SAMPLE_BYTES);
  for (let n = 0; n < count; n++) {
    const seconds = (from + n) / SAMPLE_RATE;
    const click = seconds % 1 < CLICK_SECONDS;
    const wave = Math.sin(2 * Math.PI * (click ? CLICK_HERTZ : HUM_HERTZ) * seconds);
    const value = Math.round(wave * (click ? LOUD : QUIET));
    for (let channel = 0; channel < CHANNELS; channel++)
      samples.writeInt16LE(value, n * SAMPLE_BYTES + channel * 2);
  }
  return samples;
}

/** I420 pictures, of which the first of each second is white. */
export function flashes(firstFrame: number, frameCount: number): Buffer {
  const bytes = frameBytes(WIDTH, HEIGHT);
  const frames = Buffer.alloc(bytes * frameCount, 128);
  for (let n = 0; n < frameCount; n++) {
    const white = (firstFrame + n) % CADENCE.fps === 0;
    frames.fill(white ? 235 : 16, n * bytes, n * bytes + WIDTH * HEIGHT);
  }
  return frames;
}

/** What a player sees and hears of a file or playlist, in seconds of its time line. */
export interface Played {
  flashes: number[];
  clicks: number[];
  /** Where the audio begins and ends. */
  sound: { from: number; to: number };
  /** Samples in the longest stretch without any audio. */
  longestSilence: number;
}

/** Has ffmpeg play it. */
export async function play(path: string): Promise<Played> {
  const { streams } = (await probe(path, '-show_entries', 'stream=codec_type,start_time')) as {
    streams: { codec_type: string; start_time: string }[];
  };
  const startOf = (type: string) =>
    Number(streams.find(({ codec_type }) => codec_type === type)?.start_time);
  const [videoFrom, soundFrom] = [startOf('video'), startOf('audio')];
  const decode = (...output: string[]) =>
    run('ffmpeg', ['-v', 'error', '-i', path, ...output, 'pipe:1']);
  const gray = ['-vf', 'scale=1:1,format=gray', '-fps_mode', 'passthrough', '-f', 'rawvideo'];
  const luma = await decode('-map', '0:v', ...gray);
  const pcm = await decode('-map', '0:a', '-ac', '1', '-f', 's16le');
  const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2);
  return {
    flashes: onsets(luma, 128, CADENCE.fps / 2).map((n) => videoFrom + n / CADENCE.fps),
    clicks: onsets(samples, LOUD / 2, SAMPLE_RATE / 2).map((n) => soundFrom + n / SAMPLE_RATE),
    sound: { from: soundFrom, to: soundFrom + samples.length / SAMPLE_RATE },
    longestSilence: longestSilence(samples),
  };
}

function longestSilence(samples: Int16Array): number {
  let longest = 0;
  let silent = 0;
  for (const sample of samples) {
    silent = Math.abs(sample) < QUIET / 4 ? silent + 1 : 0;
    longest = Math.max(longest, silent);
  }
  return longest;
}
