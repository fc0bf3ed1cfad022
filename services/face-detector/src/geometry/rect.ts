import type { Size } from '@facecast/shared/media/size';
/** A box in pixels of a picture, its origin at the top left; it may reach beyond the picture. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Intersection over union of two boxes: 0 apart, 1 the same. */
export function iou(a: Rect, b: Rect): number {
  const shared = sharedArea(a, b);
  return shared && shared / (a.width * a.height + b.width * b.height - shared);
}

/** Intersection over the smaller of two boxes: 1 where one lies within the other. */
export function containment(a: Rect, b: Rect): number {
  return sharedArea(a, b) / Math.min(a.width * a.height, b.width * b.height);
}

/** Square pixels that two boxes share. */
export function sharedArea(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Distance between the centres of two boxes, in pixels. */
export function distance(a: Rect, b: Rect): number {
  return Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
}

/** The longer side of a box. */
export function longerSide({ width, height }: Rect): number {
  return Math.max(width, height);
}

/** The box with `by` pixels more on each side. */
export function inflate({ x, y, width, height }: Rect, by: number): Rect {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

/** The smallest box that contains both. */
export function boundingBox(a: Rect, b: Rect): Rect {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    ...{ x, y },
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/** Interpolates between two boxes; `part` is 0 at the first, 1 at the second. */
export function between(from: Rect, to: Rect, part: number): Rect {
  const mix = (a: number, b: number) => a + (b - a) * part;
  return {
    x: mix(from.x, to.x),
    y: mix(from.y, to.y),
    width: mix(from.width, to.width),
    height: mix(from.height, to.height),
  };
}

/** Whether the centre of a box is in the picture. */
export function hasMiddleIn({ x, y, width, height }: Rect, picture: Size): boolean {
  const right = x + width / 2;
  const down = y + height / 2;
  return right > 0 && down > 0 && right < picture.width && down < picture.height;
}

/** The part of a box that is in the picture; undefined if there is none. */
export function clip(rect: Rect, picture: Size): Rect | undefined {
  const x = Math.max(0, rect.x);
  const y = Math.max(0, rect.y);
  const width = Math.min(picture.width, rect.x + rect.width) - x;
  const height = Math.min(picture.height, rect.y + rect.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

/** A whole picture as a box. */
export function wholeOf({ width, height }: Size): Rect {
  return { x: 0, y: 0, width, height };
}
