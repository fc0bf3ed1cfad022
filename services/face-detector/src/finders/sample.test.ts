import { frameBytes } from '@facecast/shared/media/frame-store';
import { describe, expect, test } from 'vitest';
import { framesOf, type I420Frame } from '../i420.js';
import { cheapScale, MIRRORED, takeSample, type Turn } from './sample.js';

const WIDTH = 320;
const HEIGHT = 240;

/** A dark frame with one bright, reddish rectangle. */
function withRectangle(x: number, y: number, width: number, height: number): I420Frame {
  const bytes = new Uint8Array(frameBytes(WIDTH, HEIGHT)).fill(128);
  const frame = framesOf(bytes, { frameCount: 1, width: WIDTH, height: HEIGHT })[0]!;
  frame.y.pixels.fill(20);
  for (let row = y; row < y + height; row++) {
    frame.y.pixels.fill(200, row * WIDTH + x, row * WIDTH + x + width);
    const half = (row >> 1) * (WIDTH / 2);
    frame.v.pixels.fill(220, half + x / 2, half + (x + width) / 2);
  }
  return frame;
}

/** Where a plane of a sample is bright. */
function brightPart(plane: Buffer, width: number) {
  const bright = [...plane.keys()].filter((at) => plane[at]! > 150);
  const xs = bright.map((at) => at % width);
  const ys = bright.map((at) => Math.floor(at / width));
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) + 1 - x, height: Math.max(...ys) + 1 - y };
}

const region = { x: 60, y: 40, width: 200, height: 160 };

describe('a sample', () => {
  test.each<[number, Turn]>([
    [1, 0],
    [0.5, 0],
    [0.5, 90],
    [0.5, 180],
    [0.5, 270],
    [0.25, 90],
    [0.7, 270],
    [1.5, 180],
  ])('at scale %d, turned by %d, leads back to the place in the frame', (scale, turn) => {
    const rectangle = { x: 100, y: 80, width: 48, height: 24 };
    const { x, y, width, height } = rectangle;
    const sample = takeSample(withRectangle(x, y, width, height), { region, scale, turn }, true)!;
    for (const plane of [sample.planes[0]!, sample.planes[2]!]) {
      expect(plane).toHaveLength(sample.width * sample.height);
      const back = sample.toFrame(brightPart(plane, sample.width));
      for (const side of ['x', 'y', 'width', 'height'] as const)
        expect(Math.abs(back[side] - rectangle[side])).toBeLessThan(2 / scale + 1);
    }
  });

  test('has a face that lies to the left upright after a quarter turn clockwise', () => {
    // The crown of the head, at the left.
    const frame = withRectangle(80, 100, 8, 40);
    const sample = takeSample(frame, { region, scale: 1, turn: 90 }, false)!;
    const crown = brightPart(sample.planes[0]!, sample.width);
    expect(crown.y).toBeLessThan(sample.height / 3);
    expect(crown.width).toBeGreaterThan(crown.height);
  });

  test('of a grey finder has the luma plane only', () => {
    const sample = takeSample(withRectangle(0, 0, 8, 8), { region, scale: 1, turn: 0 }, false)!;
    expect(sample.planes).toHaveLength(1);
  });

  test("is mirrored at the picture's border, and only there", () => {
    const whole = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
    const half = withRectangle(0, 100, 12, 30);
    const sample = takeSample(half, { region: whole, scale: 1, turn: 0 }, false)!;
    expect([sample.width, sample.height]).toEqual([WIDTH + 2 * MIRRORED, HEIGHT + 2 * MIRRORED]);
    const seen = brightPart(sample.planes[0]!, sample.width);
    expect(seen).toMatchObject({ x: MIRRORED - 12, width: 24 });
    expect(sample.toFrame(seen)).toEqual({ x: -12, y: 100, width: 24, height: 30 });
    const inside = takeSample(half, { region, scale: 1, turn: 0 }, false)!;
    expect([inside.width, inside.height]).toEqual([region.width, region.height]);
  });

  test.each([
    ['beyond the border', { x: 300, y: 200, width: 100, height: 100 }],
    ['of one pixel', { x: 319, y: 239, width: 1, height: 1 }],
    ['at odd places', { x: 11.3, y: 7.7, width: 55.5, height: 33.3 }],
  ])('%s has the part of the region that is in the picture', (_, odd) => {
    for (const scale of [1, 0.5, 1 / 3, 0.125]) {
      const sample = takeSample(withRectangle(0, 0, 8, 8), { region: odd, scale, turn: 0 }, true)!;
      const covered = sample.toFrame({ x: 0, y: 0, width: sample.width, height: sample.height });
      expect(covered.x).toBeLessThanOrEqual(odd.x);
      expect(covered.x + covered.width).toBeGreaterThanOrEqual(
        Math.min(WIDTH, odd.x + odd.width) - 1 / scale,
      );
    }
  });

  test('outside of the picture there is none', () => {
    const outside = { x: 400, y: 0, width: 50, height: 50 };
    const look = { region: outside, scale: 1, turn: 0 } as const;
    expect(takeSample(withRectangle(0, 0, 8, 8), look, true)).toBeUndefined();
  });
});

test('scales below a half are one pixel for a whole number of pixels', () => {
  expect([0.9, 0.5, 0.45, 0.3, 0.1].map(cheapScale)).toEqual([0.9, 0.5, 1 / 2, 1 / 3, 1 / 10]);
});
