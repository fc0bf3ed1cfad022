import { readFileSync } from 'node:fs';
import type { Plane } from '../i420.js';
import type { FaceFinder, Find, Place } from './face-finder.js';
import { cv, matOverPart, withMats, type CascadeClassifier, type Mat } from './opencv.js';
import { distance, grown, unscaled, within } from './place.js';

/**
 * A search of the whole picture, for places that may be faces: it is scaled down to this width, in
 * pixels, and faces from the cascade's own 20 pixels on are looked for: 40 at a width of 640.
 */
const WHOLE_WIDTH = 320;
const WHOLE_SMALLEST = 20;
const WHOLE_SCALE_FACTOR = 1.2;
const WHOLE_NEIGHBORS = 1;
/** Of those places so many, the likeliest, are answered. */
const MOST_CANDIDATES = 24;
/** Hits in a close look that make a face of it: faces have 14 and more, what only looks like one up to 12. */
const SURE_HITS = 13;

/** A search near a known face: in a region as many times its size, with the face in the middle. */
const NEAR_REGION = 1.8;
/** That region is scaled so that the face has this width, in pixels. */
const NEAR_FACE = 48;
/** Sizes that are looked for, as multiples of the known one. */
const NEAR_SMALLEST = 0.7;
const NEAR_LARGEST = 1.4;
const NEAR_SCALE_FACTOR = 1.1;
const NEAR_NEIGHBORS = 2;

/** So many hits upon each other are a score of a half. */
const HITS_OF_HALF_SCORE = 4;

/**
 * Viola-Jones with one of OpenCV's cascades. Its score has no scale of its own: it grows with the
 * number of hits at neighbouring places and sizes, towards 1.
 */
export class HaarFinder implements FaceFinder {
  private readonly cascade: CascadeClassifier;

  /** @param path of a file for which `isCascadeFile` holds: on another OpenCV ends the process */
  constructor(path: string) {
    this.cascade = new cv.CascadeClassifier(path);
  }

  /** All depths are one: the places are loose, and only a search near one makes a face of it. */
  async findAll(picture: Plane): Promise<Find[]> {
    const { width, height } = picture;
    return this.findIn(picture, [{ x: 0, y: 0, width, height }]);
  }

  async findIn(picture: Plane, parts: readonly Place[]): Promise<Find[]> {
    return parts
      .flatMap((part) => this.placesIn(picture, part))
      .sort((a, b) => b.score - a.score)
      .slice(0, MOST_CANDIDATES);
  }

  private placesIn(picture: Plane, part: Place): Find[] {
    const region = within(part, picture);
    if (!region) return [];
    const scale = Math.min(1, WHOLE_WIDTH / picture.width);
    const places = withMats((own) =>
      this.detect(own(resize(matOverPart(picture, region, own), region, scale)), {
        scaleFactor: WHOLE_SCALE_FACTOR,
        neighbors: WHOLE_NEIGHBORS,
        smallest: WHOLE_SMALLEST,
        largest: WHOLE_WIDTH,
      }),
    );
    return places.map((find) => ({ ...find, ...unscaled(find, scale, region), sure: false }));
  }

  async findNear(picture: Plane, expected: Place): Promise<Find | undefined> {
    const margin = ((NEAR_REGION - 1) / 2) * expected.width;
    const region = within(grown(expected, margin), picture);
    if (!region) return undefined;
    const scale = NEAR_FACE / expected.width;
    const faces = withMats((own) => {
      return this.detect(own(resize(matOverPart(picture, region, own), region, scale)), {
        scaleFactor: NEAR_SCALE_FACTOR,
        neighbors: NEAR_NEIGHBORS,
        smallest: Math.round(NEAR_FACE * NEAR_SMALLEST),
        largest: Math.round(NEAR_FACE * NEAR_LARGEST),
      });
    });
    return faces
      .map((find) => ({ ...find, ...unscaled(find, scale, region) }))
      .sort((a, b) => distance(a, expected) - distance(b, expected))[0];
  }

  private detect(
    image: Mat,
    options: { scaleFactor: number; neighbors: number; smallest: number; largest: number },
  ): Find[] {
    const { objects, numDetections } = this.cascade.detectMultiScale(
      image,
      options.scaleFactor,
      options.neighbors,
      0,
      new cv.Size(options.smallest, options.smallest),
      new cv.Size(options.largest, options.largest),
    );
    return objects.map(({ x, y, width, height }, n) => {
      const hits = numDetections[n] ?? 0;
      return { x, y, width, height, score: scoreOf(hits), sure: hits >= SURE_HITS };
    });
  }
}

/** Whether the file exists and is a whole cascade of a kind that OpenCV reads. */
export function isCascadeFile(path: string): boolean {
  try {
    const text = readFileSync(path, 'utf8');
    return (
      /type_id="opencv-(cascade-classifier|haar-classifier)"/.test(text) &&
      text.trimEnd().endsWith('</opencv_storage>')
    );
  } catch {
    return false;
  }
}

function resize(image: Mat, size: { width: number; height: number }, scale: number): Mat {
  return image.resize(
    Math.max(1, Math.round(size.height * scale)),
    Math.max(1, Math.round(size.width * scale)),
    0,
    0,
    scale < 1 ? cv.INTER_AREA : cv.INTER_LINEAR,
  );
}

function scoreOf(hits: number): number {
  return hits / (hits + HITS_OF_HALF_SCORE);
}
