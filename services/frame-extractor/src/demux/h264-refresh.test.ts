import { expect, test } from 'vitest';
import { made } from '../testing/counted-clips.js';
import { refreshFrames } from './h264-refresh.js';

const ACCESS_UNIT = Buffer.from('0000000109', 'hex');

/** The access units of two seconds of H.264 behind start codes. */
async function accessUnits(params: string): Promise<Buffer[]> {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=30:d=2'];
  const encoding = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-x264-params', `${params}:aud=1`];
  const stream = await made([...source, ...encoding, '-f', 'h264']);
  const units: Buffer[] = [];
  for (let at = 0; at >= 0;) {
    const next = stream.indexOf(ACCESS_UNIT, at + 1);
    units.push(stream.subarray(at, next < 0 ? stream.length : next));
    at = next;
  }
  return units;
}

test('a recovery point says after how many frames of reference pictures are clean', async () => {
  const found = (await accessUnits('intra-refresh=1:keyint=30')).map(refreshFrames);
  expect(found).toHaveLength(60);
  expect(found[0]).toBe(0);
  const points = found.filter((frames) => frames > 0);
  expect(points).toHaveLength(1);
  // x264: the width in macroblocks less 1, and its frames between two of reference less 1.
  expect(points[0]).toBe(19 + 3 - 1);
});

test('key frames are clean at once', async () => {
  const found = (await accessUnits('keyint=30:scenecut=0')).map(refreshFrames);
  expect(found).toEqual(Array(60).fill(0));
});

test('what makes no sense does no harm', () => {
  for (const hex of ['', '00', '00000001', '000000ff06', '0000000306ffffff', '00000005060601003f'])
    expect(refreshFrames(Buffer.from(hex, 'hex'))).toBe(0);
});
