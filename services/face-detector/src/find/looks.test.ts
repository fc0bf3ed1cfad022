import { describe, expect, test } from 'vitest';
import type { Plane } from '../i420.js';
import { changedParts, looksOf, LOOKS_LENGTH } from './looks.js';
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

describe('the parts of a picture that have changed', () => {
  test('are around what is new, and around the place of what is gone', () => {
    const part = { x: 288, y: 128, width: 128, height: 128 };
    expect(changedParts(looksOf(withSquare(square)), looksOf(empty), [], empty)).toEqual([part]);
    expect(changedParts(looksOf(empty), looksOf(withSquare(square)), [], empty)).toEqual([part]);
  });

  test('are several where things have changed apart from each other, and few where they are many', () => {
    const two = withSquare(square);
    for (let y = 0; y < 32; y++) two.pixels.fill(160, y * 640, y * 640 + 32);
    const parts = changedParts(looksOf(two), looksOf(empty), [], empty);
    expect(parts).toHaveLength(2);
    expect(parts).toContainEqual({ x: 0, y: 0, width: 64, height: 64 });
    expect(parts).toContainEqual({ x: 288, y: 128, width: 128, height: 128 });

    const many = withSquare();
    for (let y = 8; y < 480; y += 96)
      for (let x = 8; x < 640; x += 96)
        for (let row = y; row < y + 16; row++)
          many.pixels.fill(160, row * 640 + x, row * 640 + x + 16);
    const few = changedParts(looksOf(many), looksOf(empty), [], empty);
    expect(few.length).toBeLessThanOrEqual(4);
    expect(few.reduce((sum, { width, height }) => sum + width * height, 0)).toBeGreaterThan(
      100_000,
    );
  });

  test('are within the picture, also where what is new enters at its border', () => {
    const looks = looksOf(withSquare({ x: 624, y: 0, side: 16 }));
    const part = { x: 592, y: 0, width: 48, height: 48 };
    expect(changedParts(looks, looksOf(empty), [], empty)).toEqual([part]);
  });

  test('are none where nothing but the noise of the camera has changed', () => {
    const noisy = withSquare(square);
    noisy.pixels.forEach((grey, at) => (noisy.pixels[at] = grey + ((at * 7919) % 11) - 5));
    expect(changedParts(looksOf(noisy), looksOf(withSquare(square)), [], noisy)).toEqual([]);
  });

  test('leave out what a known head covers, but nothing beside it', () => {
    const looks = looksOf(withSquare(square));
    expect(changedParts(looks, looksOf(empty), [head], empty)).toEqual([]);
    const beside = { ...head, x: head.x + 100 };
    expect(changedParts(looks, looksOf(empty), [beside], empty)).toHaveLength(1);
  });

  test('are all of it where the light has changed', () => {
    const all = { x: 0, y: 0, width: 640, height: 480 };
    expect(changedParts(looksOf(withSquare(undefined, 64)), looksOf(empty), [], empty)).toEqual([
      all,
    ]);
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
    const known = {
      width,
      height,
      searched: 2,
      searchedWhole: 2,
      searchedThoroughly: 2,
      nextId: 0,
      hidden: true,
      tracks: [],
    };
    expect(knowledgeSchema.parse({ ...known, looks }).looks).toBe(looks);
  }
});
