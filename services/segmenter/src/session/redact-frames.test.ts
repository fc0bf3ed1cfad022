import { frameBytes } from '@facecast/shared/media/frame-store';
import { describe, expect, test } from 'vitest';
import { redactFrames } from './redact-frames.js';

const SIZE = { width: 64, height: 48 };
const LUMA = SIZE.width * SIZE.height;

/** Two frames of noise, each plane of each frame around a level of its own. */
function noise(): Buffer {
  const size = frameBytes(SIZE.width, SIZE.height);
  const frames = Buffer.alloc(2 * size);
  for (let at = 0; at < frames.length; at++) {
    const within = at % size;
    const level = within < LUMA ? 60 : within < LUMA * 1.25 ? 110 : 190;
    const frame = at < size ? 0 : 30;
    frames[at] = level + frame + ((Math.imul(at + 1, 2654435761) >>> 16) % 20);
  }
  return frames;
}

/** The different values of one plane. */
const valuesOf = (frames: Buffer, from: number, length: number) =>
  new Set(frames.subarray(from, from + length));

describe('redacted frames', () => {
  test('show nothing but a few colours', () => {
    const frames = noise();
    redactFrames(frames, SIZE);
    for (const [frame, start] of [0, frameBytes(SIZE.width, SIZE.height)].entries())
      for (const [from, length, level] of [
        [0, LUMA, 60],
        [LUMA, LUMA / 4, 110],
        [LUMA * 1.25, LUMA / 4, 190],
      ] as const) {
        const values = valuesOf(frames, start + from, length);
        // 7 x 5 cells.
        expect(values.size).toBeLessThanOrEqual(35);
        for (const value of values)
          expect(Math.abs(value - (level + 30 * frame + 9.5))).toBeLessThan(5);
      }
  });

  test.each([
    [2, 2],
    [4, 2],
    [130, 6],
    [6, 130],
  ])('are hidden at %i x %i too, without a value of elsewhere', (width, height) => {
    const frames = Buffer.alloc(frameBytes(width, height), 100);
    frames[0] = 130;
    redactFrames(frames, { width, height });
    expect(frames.every((value) => value >= 100 && value <= 130)).toBe(true);
  });
});
