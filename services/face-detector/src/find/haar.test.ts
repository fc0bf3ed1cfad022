import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plane } from '../i420.js';
import { movingFace, zoomInto } from '../testing/clips.js';
import type { Find, Place } from './face-finder.js';
import { HaarFinder, isCascadeFile } from './haar.js';
import { overlap } from './place.js';

const CASCADE = '/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml';
const finder = new HaarFinder(CASCADE);
const dir = mkdtempSync(join(tmpdir(), 'facecast-haar-'));
let clip: Awaited<ReturnType<typeof movingFace>>;

beforeAll(async () => {
  clip = await movingFace(12, 90);
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('a search of the whole picture', () => {
  const near = (faces: Find[], place: Place) => faces.filter((face) => overlap(face, place) > 0.6);

  test('has the face among its places, with a score between 0 and 1', async () => {
    const [face] = near(await finder.findAll(clip.frames[0]!.y), clip.places[0]!);
    expect(face!.score).toBeGreaterThan(0);
    expect(face!.score).toBeLessThan(1);
  });

  test('works in pixels of the picture, whatever its size', async () => {
    const large = await movingFace(1, 180, { width: 1280, height: 720 });
    const faces = await finder.findAll(large.frames[0]!.y);
    expect(near(faces, large.places[0]!)).not.toEqual([]);
  });

  test('finds nothing in a picture that is smaller than any face', async () => {
    const tiny = { pixels: new Uint8Array(4), width: 2, height: 2 };
    expect(await finder.findAll(tiny)).toEqual([]);
  });
});

describe('a search near a known face', () => {
  const at = (n: number) => clip.places[n]!;

  test('finds it again after it has moved', async () => {
    const face = await finder.findNear(clip.frames[3]!.y, at(0));
    expect(overlap(face!, clip.places[3]!)).toBeGreaterThan(0.6);
    expect(face!.sure).toBe(true);
  });

  test('finds small faces too, which are enlarged for it', async () => {
    const small = await movingFace(1, 36);
    const face = await finder.findNear(small.frames[0]!.y, small.places[0]!);
    expect(overlap(face!, small.places[0]!)).toBeGreaterThan(0.5);
  });

  test('answers undefined where the face is gone', async () => {
    const { frames } = await zoomInto('coffee.jpg', 1);
    expect(await finder.findNear(frames[0]!.y, at(0))).toBeUndefined();
  });

  test('answers undefined where the place is outside of the picture, or only touches it', async () => {
    const picture = clip.frames[0]!.y;
    for (const x of [-500, -95, 639.5, 700])
      expect(await finder.findNear(picture, { ...at(0), x })).toBeUndefined();
  });
});

describe('what goes wrong', () => {
  test('a plane that has not the bytes of its size is refused, not read beyond its end', async () => {
    const plane: Plane = { pixels: new Uint8Array(100), width: 640, height: 480 };
    await expect(finder.findAll(plane)).rejects.toThrow(Error);
    const known = { x: 10, y: 10, width: 50, height: 50 };
    await expect(finder.findNear(plane, known)).rejects.toThrow(Error);
  });

  test('a file that is missing, cut off or something else is not taken for a cascade', () => {
    const file = (name: string, text: string) => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    const whole = readFileSync(CASCADE, 'utf8');
    expect(isCascadeFile(CASCADE)).toBe(true);
    expect(isCascadeFile(file('cut.xml', whole.slice(0, whole.length / 2)))).toBe(false);
    expect(isCascadeFile(file('other.xml', '<opencv_storage></opencv_storage>'))).toBe(false);
    expect(isCascadeFile(join(dir, 'missing.xml'))).toBe(false);
    expect(isCascadeFile(dir)).toBe(false);
  });

  test('a search without a cascade is an Error', async () => {
    const finder = new HaarFinder(join(dir, 'missing.xml'));
    await expect(finder.findAll(clip.frames[0]!.y)).rejects.toThrow(Error);
  });
});
