import { beforeAll, expect, test } from 'vitest';
import { H264_MP4, made } from '../testing/counted-clips.js';
import { VideoDecoder } from './video-decoder.js';

const [WIDTH, HEIGHT] = [64, 48];
/** Brightness of the four quarters, by which side of the middle they are on: left or right, top or bottom. */
const QUARTERS = [
  { x: -1, y: -1, luma: 40 },
  { x: 1, y: -1, luma: 150 },
  { x: -1, y: 1, luma: 90 },
  { x: 1, y: 1, luma: 220 },
];

let clip: Buffer;
beforeAll(async () => {
  const luma = `if(lt(X,${WIDTH / 2}),if(lt(Y,${HEIGHT / 2}),40,90),if(lt(Y,${HEIGHT / 2}),150,220))`;
  const source = `color=s=${WIDTH}x${HEIGHT}:r=10:d=0.3,geq=lum='${luma}':cb=128:cr=128`;
  clip = await made(['-f', 'lavfi', '-i', source, '-pix_fmt', 'yuv420p', ...H264_MP4]);
});

/** With a track header's matrix (ISO/IEC 14496-12, section 8.3.2): x' = a x + c y, y' = b x + d y. */
function withMatrix([a, b, c, d]: Matrix): Buffer {
  const mp4 = Buffer.from(clip);
  const at = mp4.indexOf('tkhd') + 44;
  const fixed = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30];
  fixed.forEach((value, n) => mp4.writeInt32BE(value, at + 4 * n));
  return mp4;
}
type Matrix = [number, number, number, number];

test.each<[string, Matrix]>([
  ['nothing', [1, 0, 0, 1]],
  ['flips it from left to right', [-1, 0, 0, 1]],
  ['flips it from top to bottom', [1, 0, 0, -1]],
  ['turns it by 180 degrees', [-1, 0, 0, -1]],
  ['turns it to the right', [0, 1, -1, 0]],
  ['turns it to the left', [0, -1, 1, 0]],
  ['flips it at one diagonal', [0, 1, 1, 0]],
  ['flips it at the other', [0, -1, -1, 0]],
])('a picture is shown as its display matrix says, which does this: %s', async (_, matrix) => {
  const decoder = new VideoDecoder({
    ...{ container: 'mov', framesPerBatch: 1, rate: { next: 0 } },
    picture: { fps: 30, maxWidth: 1280, maxHeight: 720 },
  });
  const fed = decoder.write(withMatrix(matrix), 1).then(() => decoder.endInput());
  const [a, b, c, d] = matrix;
  for await (const { width, height, frames } of decoder.batches()) {
    expect([width, height]).toEqual(a === 0 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT]);
    for (const { x, y, luma } of QUARTERS) {
      const [across, down] = [a * x + c * y, b * x + d * y];
      const row = Math.floor((height / 4) * (2 + down));
      const column = Math.floor((width / 4) * (2 + across));
      expect(Math.abs(frames[row * width + column]! - luma)).toBeLessThan(5);
    }
  }
  await fed;
});
