import { RunnableTimer } from '@facecast/shared/runtime/runnable-timer';
import { samplesBefore } from '@facecast/shared/media/audio';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Container } from '../demux/container.js';
import { STALL_LIMITS } from '../video/video-decoder.js';
import type { Interruption } from '../decode-failure.js';
import { AudioStream, type AudioStreamOptions } from './audio-stream.js';
import {
  clickOnsets,
  clickingClip,
  countedClip,
  cut,
  FPS,
  SMALL,
  VP8_WEBM,
} from '../testing/counted-clips.js';
import { ffmpegs } from '../testing/ffmpegs.js';

/** However busy the machine is. */
const LONG_MS = 60_000;
const BATCH = samplesBefore(3, FPS);

let sound: AudioStream;
let losses: Interruption[];
afterEach(() => sound.abandon());

/** Audio from the session's beginning, unless the options say something else. */
function soundOf(options: Partial<AudioStreamOptions> = {}): AudioStream {
  losses = [];
  return new AudioStream({
    ...{ container: 'matroska', fps: FPS, frame: 0, stallLimits: STALL_LIMITS },
    onLost: (reason) => losses.push(reason) > 0,
    ...options,
  });
}

/** What is heard with each batch of an input stream, that is written in these pieces. */
async function heard(
  container: Container,
  pieces: Buffer[],
  { origin = 0, batches = 30, frame = 0 } = {},
) {
  sound = soundOf({ container, frame, lateMs: LONG_MS });
  const from = samplesBefore(frame, FPS);
  pieces.forEach((piece) => sound.write(piece, 0));
  sound.endInput();
  sound.follow({ next: frame, origin });
  const samples = [];
  for (let batch = 0; batch < batches; batch++)
    samples.push((await sound.take(from + batch * BATCH, from + (batch + 1) * BATCH))!);
  return Buffer.concat(samples);
}

describe('the audio of an input stream', () => {
  test.each<[string, Container, string[]]>([
    ['Opus in WebM', 'matroska', ['-c:v', 'libvpx', '-c:a', 'libopus', '-f', 'webm', '-live', '1']],
    ['Vorbis in WebM', 'matroska', ['-c:v', 'libvpx', '-c:a', 'libvorbis', '-f', 'webm']],
    [
      'AAC in MP4',
      'mov',
      ['-c:v', 'libx264', '-c:a', 'aac', '-movflags', '+delay_moov+frag_keyframe', '-f', 'mp4'],
    ],
  ])('%s is at its time, whatever the pieces', async (_, container, encoding) => {
    const clip = await clickingClip(3, encoding);
    const samples = await heard(container, cut(clip, 1, 100, 5000));
    expect(sound.hasTrack).toBe(true);
    expect(samples).toHaveLength(30 * BATCH * 4);
    const onsets = clickOnsets(samples);
    expect(onsets).toHaveLength(3);
    onsets.forEach((at, second) => expect(Math.abs(at - second)).toBeLessThan(0.005));
  });

  test('of one channel and another rate is made what the session has', async () => {
    const encoding = ['-c:v', 'libvpx', '-c:a', 'libvorbis', '-ar', '44100', '-ac', '1'];
    const clip = await clickingClip(3, [...encoding, '-f', 'webm']);
    const onsets = clickOnsets(await heard('matroska', [clip]));
    expect(onsets).toHaveLength(3);
    onsets.forEach((at, second) => expect(Math.abs(at - second)).toBeLessThan(0.005));
  });

  test('follows its first picture, and goes on where the session is', async () => {
    const clip = await clickingClip(3, ['-c:v', 'libvpx', '-c:a', 'libopus', '-f', 'webm']);
    // The first picture was at 0.4 s of the input stream, and is the session's frame 3000.
    const placed = { origin: 400_000 - 100_000_000, frame: 3000 };
    const samples = await heard('matroska', [clip], placed);
    const onsets = clickOnsets(samples);
    expect(onsets[0]).toBeCloseTo(0.6, 2);
    expect(onsets[1]).toBeCloseTo(1.6, 2);
  });

  test('that is declared and never comes is silence, and waited for once', async () => {
    const clip = await clickingClip(1, ['-c:v', 'libvpx', '-c:a', 'libopus', '-f', 'webm']);
    sound = soundOf({ lateMs: 50 });
    // The header, and no more.
    sound.write(clip.subarray(0, clip.indexOf(Buffer.from('1f43b675', 'hex')) + 4), 0);
    sound.follow({ next: 0, origin: 0 });
    expect(sound.hasTrack).toBe(true);
    const waits = vi.spyOn(RunnableTimer.prototype, 'start');
    sound.expect(21 * BATCH);
    for (let batch = 0; batch < 20; batch++) {
      const samples = await sound.take(batch * BATCH, (batch + 1) * BATCH);
      expect(samples?.equals(Buffer.alloc(BATCH * 4))).toBe(true);
    }
    expect(waits.mock.calls.filter(([limitMs]) => limitMs === 50)).toHaveLength(1);
  });

  test('that comes late is waited for while no pictures follow', async () => {
    const clip = await clickingClip(2, ['-c:v', 'libvpx', '-c:a', 'libopus', '-f', 'webm']);
    sound = soundOf({ lateMs: 1 });
    const waits = vi.spyOn(AbortSignal, 'timeout');
    waits.mockClear();
    sound.write(clip.subarray(0, 2000), 0);
    sound.follow({ next: 0, origin: 0 });
    sound.expect(10 * BATCH);
    const stretch = sound.take(0, 10 * BATCH);
    sound.write(clip.subarray(2000), 0);
    const onsets = clickOnsets((await stretch)!);
    expect(onsets).toHaveLength(1);
    expect(waits).not.toHaveBeenCalled();
  });

  test('is not taken half when another goes on with it', async () => {
    const clip = await clickingClip(2, ['-c:v', 'libvpx', '-c:a', 'libopus', '-f', 'webm']);
    sound = soundOf();
    sound.write(clip.subarray(0, 2000), 0);
    sound.follow({ next: 0, origin: 0 });
    const stretch = sound.take(0, 10 * BATCH);
    sound.abandon();
    expect(await stretch).toBeUndefined();
  });

  const OPUS = ['-c:v', 'libvpx', '-b:v', '4M', '-c:a', 'libopus', '-f', 'webm', '-live', '1'];
  test.each([
    ['is killed', 'SIGKILL', 'sound_died', 2, 0],
    ['takes nothing any more', 'SIGSTOP', 'sound_stalled', 20, 0],
    ['gives nothing any more', 'SIGSTOP', 'sound_stalled', 2, 50],
  ] as const)(
    'is left to another decoder when its own %s',
    async (_, signal, loss, seconds, sounds) => {
      const clip = await clickingClip(seconds, OPUS);
      sound = soundOf({ lateMs: LONG_MS, stallLimits: { ...STALL_LIMITS, stallMs: 200 } });
      sound.write(clip.subarray(0, 20_000), 0);
      sound.follow({ next: 0, origin: 0 });
      expect(await sound.take(0, BATCH)).toHaveLength(4 * BATCH);
      process.kill((await ffmpegs())[0]!, signal);
      const stretch = sound.take(BATCH, 100 * BATCH);
      sound.write(clip.subarray(20_000), sounds);
      expect(await stretch).toBeUndefined();
      expect(losses).toEqual([loss]);
    },
  );

  test('is not there where an input stream has none', async () => {
    sound = soundOf();
    sound.write(await countedClip(3, VP8_WEBM, SMALL), 0);
    expect(sound.hasTrack).toBe(false);
  });

  test('that cannot be read on ends, and the rest is silence', async () => {
    const clip = await clickingClip(3, ['-c:v', 'libvpx', '-c:a', 'libopus', '-f', 'webm']);
    const onsets = clickOnsets(await heard('matroska', [clip.subarray(0, clip.length / 2)]));
    expect(onsets.length).toBeLessThan(3);
    expect(onsets.length).toBeGreaterThan(0);
  });
});
