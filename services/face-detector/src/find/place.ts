import type { Plane } from '../i420.js';
import type { Place } from './face-finder.js';

/** How much of the union of two boxes they share: 0 apart, 1 the same. */
export function overlap(a: Place, b: Place): number {
  const shared = sharedArea(a, b);
  return shared && shared / (a.width * a.height + b.width * b.height - shared);
}

/** How much of the smaller of two boxes the other one has: 0 nothing, 1 all of it. */
export function enclosed(a: Place, b: Place): number {
  return sharedArea(a, b) / Math.min(a.width * a.height, b.width * b.height);
}

function sharedArea(a: Place, b: Place): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Pixels between the middles of two boxes. */
export function distance(a: Place, b: Place): number {
  return Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
}

/** The box with so many pixels more on each side. */
export function grown({ x, y, width, height }: Place, by: number): Place {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

/** Whether at least about half of a box is in the picture. */
export function isMiddleWithin(
  { x, y, width, height }: Place,
  picture: { width: number; height: number },
): boolean {
  const right = x + width / 2;
  const down = y + height / 2;
  return right > 0 && down > 0 && right < picture.width && down < picture.height;
}

/** What of a box is in the picture, in whole pixels; undefined where nothing is. */
export function within(place: Place, picture: Plane): Place | undefined {
  const x = Math.max(0, Math.floor(place.x));
  const y = Math.max(0, Math.floor(place.y));
  const width = Math.min(picture.width, Math.ceil(place.x + place.width)) - x;
  const height = Math.min(picture.height, Math.ceil(place.y + place.height)) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

/** A box of a scaled part of a picture, in pixels of the picture; `origin` is the part's top left. */
export function unscaled(
  { x, y, width, height }: Place,
  scale: number,
  origin: { x: number; y: number },
): Place {
  return {
    x: origin.x + x / scale,
    y: origin.y + y / scale,
    width: width / scale,
    height: height / scale,
  };
}
