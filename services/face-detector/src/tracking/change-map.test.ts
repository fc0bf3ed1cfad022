import { describe, expect, test } from 'vitest';
import type { Plane } from '../i420.js';
import { headOf } from '../geometry/head.js';
import { ChangeMap } from './change-map.js';
import { isCut, isOddOneOut, thumbnailOf } from './thumbnail.js';
import { VIEWS } from './views.js';

/** A grey picture with a bright square. */
function withSquare(square?: { x: number; y: number; side: number }, grey = 60): Plane {
  const pixels = new Uint8Array(640 * 480).fill(grey);
  if (square)
    for (let y = square.y; y < square.y + square.side; y++)
      pixels.fill(160, y * 640 + square.x, y * 640 + square.x + square.side);
  return { pixels, width: 640, height: 480 };
}

const WHOLE = { x: 0, y: 0, width: 640, height: 480 };
const square = { x: 320, y: 160, side: 64 };
const head = headOf({ x: 305, y: 150, width: 94, height: 94, margin: 5 });

/** A map of a picture that was searched completely in every view. */
function searched(picture: Plane): ChangeMap {
  const map = ChangeMap.unseen(thumbnailOf(picture), WHOLE);
  for (const view of VIEWS) map.seen(view, WHOLE);
  return map;
}

/** The parts to be searched after another picture. */
function partsAfter(before: Plane, after: Plane, covered: Parameters<ChangeMap['parts']>[1] = []) {
  const map = searched(before);
  map.observe(thumbnailOf(after));
  return map.parts('quick', covered);
}

describe('the parts of a picture that are to be searched', () => {
  test('are the whole picture at first, in every view, and none once the view has searched it', () => {
    const map = ChangeMap.unseen(thumbnailOf(withSquare()), WHOLE);
    for (const view of VIEWS) expect(map.parts(view, [])).toEqual([WHOLE]);
    map.seen('quick', WHOLE);
    expect(map.parts('quick', [])).toEqual([]);
    expect(map.parts('left', [])).toEqual([WHOLE]);
  });

  test('are around what is new, and around the place of what is gone', () => {
    for (const [before, after] of [
      [withSquare(), withSquare(square)],
      [withSquare(square), withSquare()],
    ] as const) {
      const [part, ...more] = partsAfter(before, after);
      expect(more).toEqual([]);
      expect(part!.x).toBeLessThanOrEqual(square.x - 32);
      expect(part!.y).toBeLessThanOrEqual(square.y - 32);
      expect(part!.x + part!.width).toBeGreaterThanOrEqual(square.x + square.side + 32);
      expect(part!.width).toBeLessThan(180);
    }
  });

  test('are several if things have changed apart from each other, and few if they are many', () => {
    const two = withSquare(square);
    for (let y = 0; y < 32; y++) two.pixels.fill(160, y * 640, y * 640 + 32);
    expect(partsAfter(withSquare(), two)).toHaveLength(2);

    const many = withSquare();
    for (let y = 8; y < 480; y += 96)
      for (let x = 8; x < 640; x += 96)
        for (let row = y; row < y + 16; row++)
          many.pixels.fill(160, row * 640 + x, row * 640 + x + 16);
    const few = partsAfter(withSquare(), many);
    expect(few.length).toBeLessThanOrEqual(4);
    expect(few.reduce((sum, { width, height }) => sum + width * height, 0)).toBeGreaterThan(
      100_000,
    );
  });

  test('are within the picture, also if what is new enters at its border', () => {
    const [part] = partsAfter(withSquare(), withSquare({ x: 624, y: 0, side: 16 }));
    expect(part).toMatchObject({ y: 0 });
    expect(part!.x + part!.width).toBe(640);
  });

  test('are none if nothing but the noise of the camera has changed', () => {
    const noisy = withSquare(square);
    noisy.pixels.forEach((grey, at) => (noisy.pixels[at] = grey + ((at * 7919) % 11) - 5));
    expect(partsAfter(withSquare(square), noisy)).toEqual([]);
  });

  test('leave out what is covered, as long as it is covered', () => {
    const map = searched(withSquare());
    map.observe(thumbnailOf(withSquare(square)));
    expect(map.parts('quick', [head])).toEqual([]);
    expect(map.parts('quick', [{ ...head, x: head.x + 100 }])).toHaveLength(1);
    expect(map.parts('quick', [])).toHaveLength(1);
  });

  test('contain what has changed so slowly that no single step was noticed', () => {
    const map = searched(withSquare());
    for (let grey = 61; grey <= 66; grey++) map.observe(thumbnailOf(withSquare(undefined, grey)));
    expect(map.parts('quick', [])).toEqual([WHOLE]);
  });
});

test('a face that was found has moved only when something changes where it is', () => {
  const box = { x: 300, y: 150, width: 90, height: 110 };
  const map = ChangeMap.unseen(thumbnailOf(withSquare()), WHOLE);
  expect(map.hasMoved(box)).toBe(true);
  map.found(box);
  map.observe(thumbnailOf(withSquare({ x: 0, y: 0, side: 64 })));
  expect(map.hasMoved(box)).toBe(false);
  map.observe(thumbnailOf(withSquare(square)));
  expect(map.hasMoved(box)).toBe(true);
});

describe('a cut', () => {
  const stripes = (width: number): Plane => ({
    pixels: Uint8Array.from({ length: 640 * 480 }, (_, at) =>
      Math.floor((at % 640) / width) % 2 === 0 ? 60 : 180,
    ),
    width: 640,
    height: 480,
  });
  const lighter = (plane: Plane): Plane => ({
    ...plane,
    pixels: plane.pixels.map((grey) => Math.min(255, grey * 1.3 + 15)),
  });

  test('is another picture', () => {
    expect(isCut(thumbnailOf(stripes(64)), thumbnailOf(stripes(100)))).toBe(true);
    expect(isCut(thumbnailOf(withSquare()), thumbnailOf(stripes(100)))).toBe(true);
  });

  test('is neither a light that is switched on nor a person who moves', () => {
    expect(isCut(thumbnailOf(stripes(64)), thumbnailOf(lighter(stripes(64))))).toBe(false);
    expect(
      isCut(thumbnailOf(withSquare()), thumbnailOf(withSquare({ ...square, side: 200 }))),
    ).toBe(false);
  });
});

describe('a cell of a frame between two that were searched', () => {
  const of = (value: number) => ({ columns: 1, rows: 1, cells: Uint8Array.of(value) });
  test.each([
    ['of what neither of them shows', 100, 150, 100, true],
    ['of an edge that moves through it', 100, 105, 110, false],
    ['of anything in a change of light', 50, 120, 200, true],
    ['of what one of them shows', 50, 198, 200, false],
  ] as const)('%s is odd, or not', (_, before, value, after, isOdd) => {
    expect(isOddOneOut(of(value), of(before), of(after), 0)).toBe(isOdd);
  });
});
