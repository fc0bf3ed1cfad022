import { describe, expect, test } from 'vitest';
import type { Plane } from '../i420.js';
import { changedPart, looksOf, LOOKS_LENGTH } from './looks.js';
import { knowledgeSchema } from './knowledge.js';

/** A grey picture with a bright square. */
function withSquare(square?: { x: number; y: number; side: number }, grey = 60): Plane {
  const pixels = new Uint8Array(640 * 480).fill(grey);
  if (square)
    for (let y = square.y; y < square.y + square.side; y++)
      pixels.fill(160, y * 640 + square.x, y * 640 + square.x + square.side);
  return { pixels, width: 640, height: 480 };
}

const empty = withSquare();
const square = { x: 320, y: 160, side: 64 };
const head = { x: 310, y: 150, width: 84, height: 84, margin: 5 };

describe('the part of a picture that has changed', () => {
  test('is around what is new, and around the place of what is gone', () => {
    const part = { x: 288, y: 128, width: 128, height: 128 };
    expect(changedPart(looksOf(withSquare(square)), looksOf(empty), [], empty)).toEqual(part);
    expect(changedPart(looksOf(empty), looksOf(withSquare(square)), [], empty)).toEqual(part);
  });

  test('is within the picture, also where what is new enters at its border', () => {
    const looks = looksOf(withSquare({ x: 624, y: 0, side: 16 }));
    const part = { x: 592, y: 0, width: 48, height: 48 };
    expect(changedPart(looks, looksOf(empty), [], empty)).toEqual(part);
  });

  test('is none where nothing but the noise of the camera has changed', () => {
    const noisy = withSquare(square);
    noisy.pixels.forEach((grey, at) => (noisy.pixels[at] = grey + ((at * 7919) % 11) - 5));
    expect(changedPart(looksOf(noisy), looksOf(withSquare(square)), [], noisy)).toBeUndefined();
  });

  test('leaves out what a known head covers, but nothing beside it', () => {
    const looks = looksOf(withSquare(square));
    expect(changedPart(looks, looksOf(empty), [head], empty)).toBeUndefined();
    const beside = { ...head, x: head.x + 100 };
    expect(changedPart(looks, looksOf(empty), [beside], empty)).toBeDefined();
  });

  test('is all of it where the light has changed', () => {
    const all = { x: 0, y: 0, width: 640, height: 480 };
    expect(changedPart(looksOf(withSquare(undefined, 64)), looksOf(empty), [], empty)).toEqual(all);
  });
});

test('the looks of a picture are small, whatever its size, and part of what is known', () => {
  for (const [width, height] of [
    [1280, 720],
    [480, 640],
    [16, 16],
  ] as const) {
    const looks = looksOf({ pixels: new Uint8Array(width * height), width, height });
    expect(looks).toHaveLength(LOOKS_LENGTH);
    const known = { width, height, searchedWhole: 2, searchedThoroughly: 2, nextId: 0, tracks: [] };
    expect(knowledgeSchema.parse({ ...known, looks }).looks).toBe(looks);
  }
});
