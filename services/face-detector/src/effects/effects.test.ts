import { effectSchema, hidesFaces, type Effect } from '@facecast/shared/protocol/ingest-protocol';
import { frameBytes } from '@facecast/shared/media/frame-store';
import { beforeAll, describe, expect, test } from 'vitest';
import { framesOf, type I420Frame, type Plane } from '../i420.js';
import type { FrameFace, FrameFaces } from '../tracking/frame-faces.js';
import { movingFace } from '../testing/face-clips.js';
import { Watchers } from '../testing/watchers.js';
import { applyEffect } from './effect.js';

const HIDING = effectSchema.options.filter(hidesFaces);

const WIDTH = 64;
const HEIGHT = 48;
const GREEN = [145, 54, 34];

/** A face of the given box. */
const faceAt = (x: number, y: number, width: number, height = width): FrameFace => ({
  ...{ id: 0, x, y, width, height },
  ...{ score: 1, sure: true, margin: 0 },
});

/** A frame of noise, in which every changed pixel can be seen. */
function noise(width = WIDTH, height = HEIGHT): I420Frame {
  const bytes = new Uint8Array(frameBytes(width, height));
  let seed = 1;
  // A fixed linear congruential generator (Numerical Recipes), clear of the outline's values.
  for (let n = 0; n < bytes.length; n++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    bytes[n] = 160 + (seed >>> 24) / 4;
  }
  return framesOf(bytes, { frameCount: 1, width, height })[0]!;
}

const copyOf = ({ y, u, v }: I420Frame): I420Frame => {
  const copy = (plane: Plane) => ({ ...plane, pixels: Uint8Array.from(plane.pixels) });
  return { y: copy(y), u: copy(u), v: copy(v) };
};

/** The Y, U and V that colour a pixel. */
const colour = ({ y, u, v }: I420Frame, x: number, row: number) => [
  y.pixels[row * y.width + x],
  u.pixels[(row >> 1) * u.width + (x >> 1)],
  v.pixels[(row >> 1) * v.width + (x >> 1)],
];

/** Pixels for which `holds`, as `x,y`. */
function pixelsWhere(frame: I420Frame, holds: (x: number, y: number) => boolean): string[] {
  const found: string[] = [];
  for (let y = 0; y < frame.y.height; y++)
    for (let x = 0; x < frame.y.width; x++) if (holds(x, y)) found.push(`${x},${y}`);
  return found;
}

const isGreen = (frame: I420Frame) => (x: number, y: number) =>
  colour(frame, x, y).every((value, n) => value === GREEN[n]);
const differs = (a: I420Frame, b: I420Frame) => (x: number, y: number) =>
  colour(a, x, y).some((value, n) => value !== colour(b, x, y)[n]);

/** Pixels of the two-pixel border inside a box. */
const borderOf = (left: number, top: number, right: number, bottom: number) =>
  pixelsWhere(noise(), (x, y) => {
    const inside = x >= left && x < right && y >= top && y < bottom;
    const deep = x >= left + 2 && x < right - 2 && y >= top + 2 && y < bottom - 2;
    return inside && !deep;
  });

const found = (...faces: FrameFace[]): FrameFaces => ({ searched: true, faces, unsearched: [] });

describe('box', () => {
  test.each([
    ['on even pixels', faceAt(10, 8, 20), [10, 8, 30, 28]],
    ['on odd and broken pixels', faceAt(11.6, 9, 19.2, 17), [10, 8, 32, 26]],
    ['touching all edges', faceAt(0, 0, WIDTH, HEIGHT), [0, 0, WIDTH, HEIGHT]],
    ['beyond the top left', faceAt(-7, -5, 20), [0, 0, 14, 16]],
    ['beyond the bottom right', faceAt(51, 39, 40), [50, 38, WIDTH, HEIGHT]],
    ['larger than the picture', faceAt(-10, -10, 200), [0, 0, WIDTH, HEIGHT]],
    ['of one pixel', faceAt(21, 21, 1), [20, 20, 22, 22]],
  ] as const)(
    '%s: two pixels of pure green, and nothing else changes',
    (_, face, [left, top, right, bottom]) => {
      const frame = noise();
      const before = copyOf(frame);
      applyEffect('box', frame, found(face));
      const expected = borderOf(left, top, right, bottom);
      expect(pixelsWhere(frame, isGreen(frame))).toEqual(expected);
      expect(pixelsWhere(frame, differs(frame, before))).toEqual(expected);
    },
  );

  test('outside of the picture: nothing', () => {
    const frame = noise();
    const before = copyOf(frame);
    applyEffect('box', frame, found(faceAt(64, 10, 20), faceAt(-20, 10, 20), faceAt(10, 500, 20)));
    expect(frame).toEqual(before);
  });
});

describe('none, and box without a search', () => {
  test.each<[Effect, FrameFace[] | undefined]>([
    ['none', [faceAt(10, 10, 20)]],
    ['none', undefined],
    ['box', []],
    ['box', undefined],
    ...HIDING.map((effect): [Effect, FrameFace[]] => [effect, []]),
  ])('%s with %o leaves the frame as it is', (effect, faces) => {
    const frame = noise();
    const before = copyOf(frame);
    applyEffect(effect, frame, { searched: faces !== undefined, faces, unsearched: [] });
    expect(frame).toEqual(before);
  });
});

describe.each(HIDING)('%s', (effect) => {
  const spread = (values: number[]) => Math.max(...values) - Math.min(...values);

  test('covers the face with a margin, and changes nothing far from it', () => {
    const frame = noise(320, 240);
    const before = copyOf(frame);
    const face = faceAt(121, 91, 61);
    applyEffect(effect, frame, found(face));
    const changed = new Set(pixelsWhere(frame, differs(frame, before)));
    const margin = 0.15 * face.width;
    const clear = pixelsWhere(
      frame,
      (x, y) =>
        x >= face.x - margin &&
        x < face.x + face.width + margin &&
        y >= face.y &&
        y < face.y + face.height &&
        Math.hypot(x - 151, y - 121) < 0.62 * face.width &&
        !changed.has(`${x},${y}`),
    );
    // Among so many noisy pixels a few have the mean's colour by chance.
    expect(clear.length).toBeLessThan(0.01 * face.width ** 2);
    for (const key of changed) {
      const [x, y] = key.split(',').map(Number) as [number, number];
      expect(Math.abs(x - 151)).toBeLessThan(1.2 * face.width);
      expect(Math.abs(y - 121)).toBeLessThan(1.4 * face.width);
    }
  });

  test('leaves nothing of the noise under it', () => {
    const frame = noise(320, 240);
    applyEffect(effect, frame, found(faceAt(120, 90, 60)));
    const row = frame.y.pixels.subarray(120 * 320 + 120, 120 * 320 + 180);
    expect(spread([...row])).toBeLessThan(12);
  });

  test.each([
    ['touching the edges', faceAt(0, 0, 20)],
    ['beyond the top left', faceAt(-13.5, -9.1, 25)],
    ['beyond the bottom right', faceAt(55, 41, 33)],
    ['larger than the picture', faceAt(-100, -100, 300)],
    ['of one pixel', faceAt(33, 33, 1)],
    ['outside, its margin inside', faceAt(-21, 10, 20)],
  ])('%s: changes the picture, without a bad value', (_, face) => {
    const frame = noise();
    const before = copyOf(frame);
    applyEffect(effect, frame, found(face));
    expect(frame).not.toEqual(before);
    // Means of values from 160 to 223 are among them.
    const isGood = (value: number) =>
      (value >= 160 && value < 224) || (effect === 'black' && (value === 16 || value === 128));
    for (const { pixels } of [frame.y, frame.u, frame.v]) expect(pixels.every(isGood)).toBe(true);
  });

  test('far outside of the picture: nothing', () => {
    const frame = noise();
    const before = copyOf(frame);
    applyEffect(effect, frame, found(faceAt(500, 10, 20), faceAt(10, -500, 20)));
    expect(frame).toEqual(before);
  });

  test('unsearched parts are covered, and nothing far from them', () => {
    const frame = noise(320, 240);
    const before = copyOf(frame);
    const part = { x: 120, y: 90, width: 60, height: 40 };
    applyEffect(effect, frame, { searched: false, faces: [], unsearched: [part] });
    const isChanged = differs(frame, before);
    const clear = pixelsWhere(
      frame,
      (x, y) => x >= 120 && x < 180 && y >= 90 && y < 130 && !isChanged(x, y),
    );
    expect(clear.length).toBeLessThan(0.02 * part.width * part.height);
    expect(pixelsWhere(frame, (x, y) => x < 60 && y < 50 && isChanged(x, y))).toEqual([]);
  });

  test('a frame of which nothing is known is covered as a whole', () => {
    const frame = noise(320, 240);
    applyEffect(effect, frame, { searched: false, faces: undefined, unsearched: [] });
    for (const { pixels } of [frame.y, frame.u, frame.v])
      expect(spread([...pixels])).toBeLessThan(8);
  });
});

describe('a face under', () => {
  const cases: { frame: I420Frame; face: FrameFace }[] = [];
  let watchers: Watchers;

  beforeAll(async () => {
    watchers = await Watchers.load();
    for (const [n, faceSize] of [24, 48, 70, 140].entries()) {
      const { frames, places } = await movingFace(40, faceSize);
      const { x, y, width } = places[13 * n]!;
      cases.push({
        frame: frames[13 * n]!,
        face: faceAt(x, y - width / 4, width, (5 * width) / 4),
      });
    }
  });

  test.each(
    (['found', 'not searched', 'seen half its width away'] as const).flatMap((how) =>
      HIDING.map((effect) => [effect, how] as const),
    ),
  )('%s, %s, is found by no finder', async (effect, how) => {
    for (const { frame, face } of cases) {
      const hidden = copyOf(frame);
      const away = { ...face, x: face.x + face.width / 2, margin: face.width / 2 };
      applyEffect(effect, hidden, {
        searched: how === 'found',
        faces: { found: [face], 'seen half its width away': [away], 'not searched': undefined }[
          how
        ],
        unsearched: [],
      });
      expect(await watchers.see(hidden, [face])).toBe(false);
    }
  });

  test('none is found, from 48 pixels on', async () => {
    for (const { frame, face } of cases.filter((one) => one.face.width >= 48))
      expect(await watchers.see(frame, [face])).toBe(true);
  });
});
