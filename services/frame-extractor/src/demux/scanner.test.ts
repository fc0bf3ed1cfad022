import { beforeAll, describe, expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import {
  clickingClip,
  countedClip,
  cut,
  H264_MP4,
  H264_REORDERED_MP4,
  REFRESHED_MKV,
  REFRESHED_MP4,
  SMALL,
  timedClip,
  VP8_WEBM,
} from '../testing/counted-clips.js';
import { sniffContainer } from './container.js';
import { createScanner } from './create-scanner.js';
import { joinTimes, type KeyFrame, type Scanned } from './scanner.js';

/** All that is found in an input stream that comes in these pieces. */
function scan(pieces: Buffer[]) {
  const whole = Buffer.concat(pieces);
  const scanner = createScanner(sniffContainer(whole)!);
  const found: Scanned = { frames: 0, audioPackets: 0, keyFrames: [] };
  for (const piece of pieces) {
    const { frames, audioPackets, keyFrames, shown, heard, next } = scanner.push(piece);
    found.frames += frames;
    found.audioPackets += audioPackets;
    found.keyFrames.push(...keyFrames);
    if (shown) found.shown = joinTimes(found.shown, shown);
    if (heard !== undefined) found.heard = heard;
    if (next !== undefined) return { ...found, next, isLost: scanner.isLost };
  }
  return { ...found, header: scanner.header, isLost: scanner.isLost };
}

const seconds = (keyFrames: KeyFrame[]) => keyFrames.map(({ time }) => time / 1_000_000);
const fixture = (name: string) => readFile(new URL(`../../fixtures/${name}`, import.meta.url));

const clips: Record<string, Buffer> = {};
beforeAll(async () => {
  clips.webm = await countedClip(90, VP8_WEBM, SMALL);
  const closed = VP8_WEBM.filter((word) => word !== '-live' && word !== '1');
  clips.closed = await countedClip(90, closed, SMALL);
  clips.mkv = await countedClip(90, [...H264_REORDERED_MP4.slice(0, 10), '-f', 'matroska'], SMALL);
  clips.mp4 = await countedClip(90, H264_MP4, SMALL);
  clips.reordered = await countedClip(90, H264_REORDERED_MP4, SMALL);
});

test.each([
  ['Opus in a WebM', ['-c:v', 'libvpx', '-c:a', 'libopus', '-f', 'webm'], 0.02],
  ['AAC in an MP4', [...H264_MP4, '-c:a', 'aac'], 1024 / 48_000],
])('the packets of sound are counted: %s', async (_, encoding, packetSeconds) => {
  const { frames, audioPackets } = scan(cut(await clickingClip(3, encoding), 1, 5000));
  expect(frames).toBe(90);
  // An encoder begins a little before the audio, and fills the last packet.
  expect(audioPackets - Math.ceil(3 / packetSeconds)).toBeOneOf([0, 1, 2]);
});

describe('all key frames are found, with the time that they are shown at', () => {
  test.each(['webm', 'mkv', 'mp4'])('in a %s', (name) => {
    const { frames, keyFrames, isLost } = scan([clips[name]!]);
    expect([frames, isLost]).toEqual([90, false]);
    expect(seconds(keyFrames)).toEqual([0, 1, 2]);
  });

  test('in an MP4 whose frames are not in the order in which they are shown', () => {
    const times = seconds(scan([clips.reordered!]).keyFrames);
    // Without an edit list, all are shown two frames late.
    times.forEach((time, i) => expect(time).toBeCloseTo(i + 2 / 30, 3));
  });

  test.each([
    ['chromium-vp8-alpha.webm', 2, 84],
    ['chromium-h264.mp4', 6, 179],
  ])('in what Chromium has recorded: %s', async (name, keys, count) => {
    const { frames, keyFrames, isLost } = scan([await fixture(name)]);
    expect([keyFrames.length, frames, isLost]).toEqual([keys, count, false]);
  });
});

test.each([
  ['mp4', REFRESHED_MP4],
  ['mkv', REFRESHED_MKV],
])(
  'of H.264 without key frames it is found when pictures are clean: in an %s',
  async (_, encoding) => {
    const clip = await countedClip(150, encoding, SMALL);
    const { keyFrames, frames } = scan(cut(clip, 1, 1500));
    expect([frames, ...seconds(keyFrames)]).toEqual([150, 0, 2, 4]);
    const [first, ...rest] = keyFrames.map(({ refreshFrames }) => refreshFrames);
    expect(first).toBe(0);
    // A refresh goes over a picture of 20 macroblocks in as many frames.
    for (const refreshFrames of rest) expect(refreshFrames).toBeOneOf([18, 19, 20]);
  },
);

describe('the times of all frames are found', () => {
  test.each<[string, number]>([
    ['webm', 0],
    ['mkv', 0],
    ['mp4', 0],
    // Without an edit list, all are shown two frames late.
    ['reordered', 2 / 30],
  ])('in a %s', (name, from) => {
    const { shown } = scan(cut(clips[name]!, 1, 500));
    const times = [shown!.from, shown!.to, shown!.end].map((time) => time / 1_000_000);
    times.forEach((time, n) => expect(time).toBeCloseTo(from + [0, 89 / 30, 3][n]!, 2));
  });

  test('in a WebM whose header says nothing of the frame rate, but for how long the last one lasts', async () => {
    const { shown } = scan([await timedClip(3, '11*gt(N\\,0)+gt(N\\,1)')]);
    expect([shown?.from, shown?.to]).toEqual([0, 12_000_000]);
  });

  test.each([
    ['Opus in a WebM', ['-c:v', 'libvpx', '-c:a', 'libopus', '-f', 'webm']],
    ['AAC in an MP4', [...H264_MP4, '-c:a', 'aac']],
  ])('and of the audio: %s', async (_, encoding) => {
    const { heard } = scan(cut(await clickingClip(3, encoding), 1, 5000));
    expect(heard! / 1_000_000).toBeGreaterThan(2.95);
    expect(heard! / 1_000_000).toBeLessThan(3.05);
  });
});

describe('it does not matter how an input stream is cut', () => {
  test.each(['webm', 'mkv', 'mp4', 'reordered'])('a %s', (name) => {
    const clip = clips[name]!;
    const whole = scan([clip]);
    expect(scan(cut(clip, 1))).toEqual(whole);
    expect(scan(cut(clip, 3, 1, 4, 1, 5, 9, 26))).toEqual(whole);
  });

  test('nor at which byte', () => {
    const clip = clips.mp4!.subarray(0, 6000);
    const whole = scan([clip]);
    for (let at = 1; at < clip.length; at += 7)
      expect(scan([clip.subarray(0, at), clip.subarray(at)])).toEqual(whole);
  });
});

describe('another input stream is found where it begins', () => {
  test.each(['webm', 'mp4'])('a %s after another', (name) => {
    const clip = clips[name]!;
    expect(scan([clip, clip]).next).toBe(clip.length);
    expect(scan(cut(Buffer.concat([clip, clip]), 1)).next).toBe(clip.length);
  });

  test('also after one that says how long it is', () => {
    const clip = clips.closed!;
    expect(scan([clip, clip]).next).toBe(clip.length);
  });
});

describe('what makes no sense', () => {
  const head = Buffer.from('1a45dfa3', 'hex');
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251));
  test.each<[string, Buffer]>([
    ['noise behind an EBML magic', Buffer.concat([head, noise])],
    ['a Matroska that breaks off into noise', Buffer.concat([head, Buffer.from([0x80]), noise])],
    ['boxes of impossible sizes', Buffer.from('\0\0\0\x08ftyp\0\0\0\x03moof', 'latin1')],
    [
      'empty movies and fragments',
      Buffer.from('\0\0\0\x08ftyp\0\0\0\x08moov\0\0\0\x08moof', 'latin1'),
    ],
  ])('has no key frames: %s', (_, bytes) => {
    expect(scan([bytes]).keyFrames).toEqual([]);
    expect(scan(cut(bytes, 1, 2, 3, 1000)).keyFrames).toEqual([]);
  });

  test.each([8, 10])(
    'has no key frames: a time of %i bytes that is out of all reason',
    (length) => {
      const clip = clips.webm!;
      const cluster = clip.indexOf(Buffer.from('1f43b675', 'hex'));
      const time = clip.indexOf(0xe7, cluster);
      const after = time + 2 + (clip[time + 1]! & 0x7f);
      const tooLong = Buffer.from([0xe7, 0x80 | length, ...Array<number>(length).fill(0xff)]);
      const { keyFrames, isLost } = scan([clip.subarray(0, time), tooLong, clip.subarray(after)]);
      expect([keyFrames, isLost]).toEqual([[], true]);
    },
  );

  test('does no harm, whatever bits of an input stream are wrong', () => {
    for (const clip of [clips.webm!, clips.mkv!, clips.mp4!])
      for (let seed = 1; seed <= 300; seed++) {
        const broken = Buffer.from(clip);
        for (let i = 1; i <= 5; i++) {
          const at = (seed * 7919 * i * i + i * 104_729) % Math.min(broken.length, 20_000);
          broken[at]! ^= 1 << ((seed + i) % 8);
        }
        expect(scan(cut(broken, 1, 5000)).frames).toBeGreaterThanOrEqual(0);
      }
  });
});

test('a header that is too long is not kept, and nothing is found after it', () => {
  const at = clips.webm!.indexOf(Buffer.from('1f43b675', 'hex'));
  const padding = Buffer.concat([Buffer.from('ec10080000', 'hex'), Buffer.alloc(0x80000)]);
  const padded = [clips.webm!.subarray(0, at), padding, clips.webm!.subarray(at)];
  expect(scan(padded)).toMatchObject({ frames: 90, keyFrames: [], header: undefined });
});
