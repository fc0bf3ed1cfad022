import { countedClip } from '@facecast/shared/testing/counted-clip';
import type { EncodedPacket } from 'mediabunny';
import { expect, test } from 'vitest';
import { MediaFile, type TimedMedia } from './media-file.js';

const FRAMES = 60;
const SOUND = ['-f', 'lavfi', '-i', 'sine=440:duration=2'];
const H264 = ['-map', '0:v', '-map', '1:a', '-c:v', 'libx264', '-bf', '3', '-g', '30'].concat([
  '-sc_threshold',
  '0',
]);
const MP4 = ['-c:a', 'aac', '-movflags', '+frag_keyframe+delay_moov', '-f', 'mp4'];
const SMALL = { width: 64, height: 48 };

async function clip(): Promise<Blob> {
  const bytes = await countedClip(FRAMES, [...SOUND, ...H264, ...MP4], SMALL);
  return new Blob([new Uint8Array(bytes)]);
}

async function open(loop: boolean, withSound: boolean): Promise<MediaFile> {
  const file = await MediaFile.open(await clip(), { loop, withSound });
  if (!file) throw new Error('it cannot be read');
  return file;
}

async function read(packets: AsyncIterable<TimedMedia>, most = Infinity): Promise<TimedMedia[]> {
  const all: TimedMedia[] = [];
  for await (const packet of packets) {
    all.push(packet);
    if (all.length >= most) break;
  }
  return all;
}

const ofKind = (kind: TimedMedia['kind'], packets: TimedMedia[]) =>
  packets.filter((each) => each.kind === kind).map(({ media }) => media as EncodedPacket);
const frames = (packets: TimedMedia[]) =>
  ofKind('video', packets)
    .map(({ timestamp }) => Math.round(timestamp * 30))
    .sort((a, b) => a - b);
const counting = (count: number) => Array.from({ length: count }, (_, n) => n);

test('each frame of a file comes once, from 0 on, with its sound beside it', async () => {
  const file = await open(false, true);
  const packets = await read(file.media(0));
  expect(frames(packets)).toEqual(counting(FRAMES));
  const sound = ofKind('audio', packets);
  expect(sound[0]?.timestamp).toBeLessThan(0.03);
  expect(sound.at(-1)!.timestamp).toBeGreaterThan(1.9);
  const times = packets.map(({ media }) => media.timestamp);
  // Some frames are needed before those that are shown first.
  expect(times.every((time, n) => time > Math.max(...times.slice(0, n)) - 0.2)).toBe(true);
  file.close();
});

test('without the sound where it is not to be sent', async () => {
  const file = await open(false, false);
  expect(ofKind('audio', await read(file.media(0)))).toEqual([]);
  file.close();
});

test('a file that is played again and again goes on at its beginning, and its time goes on', async () => {
  const file = await open(true, false);
  const packets = await read(file.media(0), 2.5 * FRAMES);
  expect(frames(packets).slice(0, 2 * FRAMES)).toEqual(counting(2 * FRAMES));
  const [first, again] = ofKind('video', [packets[0]!, packets[FRAMES]!]);
  expect(again!.data).toEqual(first!.data);
  file.close();
});

test('in the middle it begins with a key frame', async () => {
  const file = await open(false, false);
  const packets = ofKind('video', await read(file.media(1.5)));
  expect(packets).toHaveLength(30);
  expect(packets[0]).toMatchObject({ type: 'key', timestamp: 0 });
  file.close();
});

test('what is no media file is none', async () => {
  const text = new Blob(['no media at all']);
  expect(await MediaFile.open(text, { loop: false, withSound: true })).toBeUndefined();
});
