import { readFileSync } from 'node:fs';
import type { Face } from '@facecast/shared/messages';
import type { Plane } from '../i420.js';
import type { FaceFinder } from './face-finder.js';
import { cv, matOver, withMats, type CascadeClassifier, type Mat, type Rect } from './opencv.js';
import { isSameFace } from './same-face.js';

/**
 * A search of the whole picture, for places that may be faces: it is scaled down to this width, in
 * pixels, and faces from the cascade's own 20 pixels on are looked for: 40 at a width of 640.
 */
const WHOLE_WIDTH = 320;
const WHOLE_SMALLEST = 20;
const WHOLE_SCALE_FACTOR = 1.2;
const WHOLE_NEIGHBORS = 1;
/** Of those places so many, the likeliest, are looked at more nearly. */
const MOST_CANDIDATES = 24;
/** Hits there that make a face of it: faces have 14 and more, what only looks like one up to 12. */
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
const SURE_SCORE = scoreOf(SURE_HITS);

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

  async findOthers(picture: Plane, known: readonly Face[]): Promise<Face[]> {
    const faces: Face[] = [];
    for (const candidate of this.candidates(picture)) {
      if ([...known, ...faces].some((other) => isSameFace(other, candidate))) continue;
      const face = await this.findNear(picture, candidate);
      if (face && face.score >= SURE_SCORE) faces.push(face);
    }
    return faces;
  }

  async findNear(picture: Plane, known: Face): Promise<Face | undefined> {
    const region = regionAround(known, picture);
    if (!region) return undefined;
    const scale = NEAR_FACE / known.width;
    const faces = withMats((own) => {
      const part = own(
        own(matOver(picture)).getRegion(
          new cv.Rect(region.x, region.y, region.width, region.height),
        ),
      );
      return this.detect(own(resize(part, region, scale)), {
        scaleFactor: NEAR_SCALE_FACTOR,
        neighbors: NEAR_NEIGHBORS,
        smallest: Math.round(NEAR_FACE * NEAR_SMALLEST),
        largest: Math.round(NEAR_FACE * NEAR_LARGEST),
      });
    });
    return faces
      .map((face) => unscaled(face, scale, region))
      .sort((a, b) => distance(a, known) - distance(b, known))[0];
  }

  private candidates(picture: Plane): Face[] {
    const scale = Math.min(1, WHOLE_WIDTH / picture.width);
    const places = withMats((own) =>
      this.detect(own(resize(own(matOver(picture)), picture, scale)), {
        scaleFactor: WHOLE_SCALE_FACTOR,
        neighbors: WHOLE_NEIGHBORS,
        smallest: WHOLE_SMALLEST,
        largest: WHOLE_WIDTH,
      }),
    );
    return places
      .map((place) => unscaled(place, scale, { x: 0, y: 0 }))
      .sort((a, b) => b.score - a.score)
      .slice(0, MOST_CANDIDATES);
  }

  private detect(
    image: Mat,
    options: { scaleFactor: number; neighbors: number; smallest: number; largest: number },
  ): Face[] {
    const { objects, numDetections } = this.cascade.detectMultiScale(
      image,
      options.scaleFactor,
      options.neighbors,
      0,
      new cv.Size(options.smallest, options.smallest),
      new cv.Size(options.largest, options.largest),
    );
    return objects.map(({ x, y, width, height }, n) => ({
      ...{ x, y, width, height },
      score: scoreOf(numDetections[n] ?? 0),
    }));
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

/** The part of the picture to look for `known` in, in whole pixels; undefined where there is none. */
function regionAround(known: Face, picture: Plane): Rect | undefined {
  const margin = ((NEAR_REGION - 1) / 2) * known.width;
  const x = Math.max(0, Math.floor(known.x - margin));
  const y = Math.max(0, Math.floor(known.y - margin));
  const width = Math.min(picture.width, Math.ceil(known.x + known.width + margin)) - x;
  const height = Math.min(picture.height, Math.ceil(known.y + known.height + margin)) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

/** A face of a scaled part of a picture, in pixels of the picture. */
function unscaled(face: Face, scale: number, origin: { x: number; y: number }): Face {
  return {
    x: origin.x + face.x / scale,
    y: origin.y + face.y / scale,
    width: face.width / scale,
    height: face.height / scale,
    score: face.score,
  };
}

function distance(a: Face, b: Face): number {
  return Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
}
