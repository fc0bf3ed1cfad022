import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { countedClip } from '@facecast/shared/testing/counted-clip';
import { afterAll, expect, test } from 'vitest';
import { AviFile } from './avi-file.js';

const directory = mkdtempSync(join(tmpdir(), 'facecast-avi-'));
afterAll(() => rm(directory, { recursive: true }));

const FRAMES = 30;
const SOUND = ['-f', 'lavfi', '-i', 'sine=440:sample_rate=48000:duration=1'];
const MPEG4 = ['-map', '0:v', '-map', '1:a', '-c:v', 'mpeg4', '-g', '15'];
const SMALL = { width: 64, height: 48 };

/** An AVI with this sound in it. */
async function clip(...sound: string[]): Promise<Blob> {
  const encoding = [...SOUND, ...MPEG4, ...sound, '-f', 'avi'];
  return indexed(await countedClip(FRAMES, encoding, SMALL));
}

/** Into a file, ffmpeg writes an index. */
async function indexed(avi: Buffer): Promise<Blob> {
  const path = join(directory, 'indexed.avi');
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', '-', '-c', 'copy', path], { input: avi });
  return new Blob([new Uint8Array(await readFile(path))]);
}

async function remuxed(
  file: Blob,
  { until = Infinity, withSound = true }: { until?: number; withSound?: boolean } = {},
): Promise<Buffer> {
  const avi = await AviFile.open(file, { loop: until < Infinity, withSound });
  if (!avi) throw new Error('it cannot be read');
  const all: Uint8Array[] = [];
  for await (const { time, bytes } of avi.remuxed()) {
    if (time > until) break;
    all.push(...bytes);
  }
  return Buffer.concat(all);
}

interface ShownPacket {
  codec_type: string;
  dts_time: string;
  flags: string;
}

/** What ffprobe says of each packet of a file: when it is wanted, and whether it is a key frame. */
async function packetsOf(file: Buffer) {
  const show = ['-show_entries', 'packet=codec_type,dts_time,flags', '-of', 'json'];
  const ffprobe = spawn('ffprobe', ['-v', 'error', ...show, 'pipe:0']);
  ffprobe.stdin.end(file);
  const shown = JSON.parse(String(await buffer(ffprobe.stdout))) as { packets: ShownPacket[] };
  const ofKind = (kind: string) =>
    shown.packets
      .filter(({ codec_type }) => codec_type === kind)
      .map(({ dts_time, flags }) => ({ at: Number(dts_time), key: flags.startsWith('K') }));
  return { video: ofKind('video'), audio: ofKind('audio') };
}

test.each([
  ['MP3', ['-c:a', 'libmp3lame']],
  ['PCM', ['-c:a', 'pcm_s16le']],
])('each packet of an AVI with %s comes once, in its place', async (_, sound) => {
  const avi = await clip(...sound);
  const { video, audio } = await packetsOf(await remuxed(avi));
  const wanted = await packetsOf(Buffer.from(await avi.arrayBuffer()));
  expect(video.length).toBeGreaterThan(FRAMES - 2);
  const rounded = (packets: typeof video) =>
    packets.map(({ at, key }) => ({ at: Math.round(at * 30), key }));
  expect(rounded(video)).toEqual(rounded(wanted.video));
  expect(video.filter(({ key }) => key)).toHaveLength(2);
  expect(audio.length).toBeGreaterThan(4);
  expect(Math.abs(audio[0]!.at - wanted.audio[0]!.at)).toBeLessThan(0.002);
  expect(Math.abs(audio.at(-1)!.at - wanted.audio.at(-1)!.at)).toBeLessThan(0.03);
});

test('without the sound where it is not to be sent', async () => {
  const avi = await clip('-c:a', 'pcm_s16le');
  const { video, audio } = await packetsOf(await remuxed(avi, { withSound: false }));
  expect(video).toHaveLength(FRAMES);
  expect(audio).toEqual([]);
});

test('an AVI that is played again and again goes on at its beginning, and its time goes on', async () => {
  const silent = await countedClip(FRAMES, ['-c:v', 'mpeg4', '-f', 'avi'], SMALL);
  const file = new Blob([new Uint8Array(silent)]);
  const { video } = await packetsOf(await remuxed(file, { until: 1.999 }));
  expect(video.map(({ at }) => Math.round(at * 30))).toEqual(
    Array.from({ length: 2 * FRAMES }, (_, n) => n),
  );
});

test.each([
  ['text', 'no media at all'],
  ['an AVI that is cut off in its header', 'RIFF\xff\xff\x00\x00AVI LIST\xff\x00\x00\x00hdrl'],
])('%s is none', async (_, text) => {
  const file = new Blob([text]);
  expect(await AviFile.open(file, { loop: false, withSound: true })).toBeUndefined();
});
