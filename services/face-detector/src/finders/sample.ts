import type { I420Frame, Plane } from '../i420.js';
import { clip, type Rect } from '../geometry/rect.js';
import { cv, matOver, withMats, type Mat, type Own } from '../opencv.js';

/** How far a picture is turned clockwise before it is searched, in degrees. */
export type Turn = 0 | 90 | 180 | 270;

/** One look at a part of a frame: the region that is searched, and its scale. */
export interface Look {
  /** In pixels of the frame. */
  region: Rect;
  /** Pixels of the sample for each pixel of the frame. */
  scale: number;
  turn: Turn;
}

/** A small picture for a finder: one plane (luma) or three (Y, U, V), all of this size. */
export interface Sample {
  width: number;
  height: number;
  /** 8 bits, BT.601 limited range, row after row without gaps. */
  planes: Buffer[];
}

/** A sample, and the way back from its pixels to those of the frame. */
export interface TakenSample extends Sample {
  toFrame(rect: Rect): Rect;
}

/**
 * A picture's border is mirrored by this many pixels of the sample, so that half a face beside it
 * looks like a whole one: networks find those that are cut in half only with a whole outline.
 */
export const MIRRORED = 16;

/** Mirrors at the border (OpenCV's BORDER_REFLECT). */
const BORDER_REFLECT = 2;
const ROTATION = { 90: 0, 180: 1, 270: 2 } as const;

/** Number of pixels that the finder must search for a look. */
export function pixelsOf({ region, scale }: Look): number {
  return region.width * region.height * scale ** 2;
}

/**
 * The cheap scale nearest to the wanted one. From 0.5 on any scale is cheap; below, those that make one
 * pixel of a whole number of pixels.
 */
export function cheapScale(wanted: number): number {
  return wanted >= 0.5 ? wanted : 1 / Math.floor(1 / wanted);
}

/** Cuts out the region, scales and turns it; undefined if it is outside the picture. */
export function takeSample(
  frame: I420Frame,
  { region, scale, turn }: Look,
  colour: boolean,
): TakenSample | undefined {
  const part = wholePixels(region, frame.y, scale);
  if (!part) return undefined;
  const width = Math.max(1, Math.round(part.width * scale));
  const height = Math.max(1, Math.round(part.height * scale));
  const mirrored = mirroredSides(part, frame.y, { width, height });
  const size = {
    width: width + mirrored.left + mirrored.right,
    height: height + mirrored.top + mirrored.bottom,
  };
  const planes = withMats((own) => {
    const cut = (plane: Plane, rect: Rect) => {
      const scaled = resized(plane, rect, width, height, own);
      const { top, bottom, left, right } = mirrored;
      const wide =
        top + bottom + left + right > 0
          ? own(scaled.copyMakeBorder(top, bottom, left, right, BORDER_REFLECT, 0))
          : scaled;
      return (turn === 0 ? wide : own(wide.rotate(ROTATION[turn]))).getData();
    };
    const chroma = halved(part);
    return colour
      ? [cut(frame.y, part), cut(frame.u, chroma), cut(frame.v, chroma)]
      : [cut(frame.y, part)];
  });
  return {
    ...(turn % 180 === 0 ? size : { width: size.height, height: size.width }),
    planes,
    toFrame: (rect) => {
      const upright = unturned(rect, turn, size);
      return {
        x: part.x + ((upright.x - mirrored.left) * part.width) / width,
        y: part.y + ((upright.y - mirrored.top) * part.height) / height,
        width: (upright.width * part.width) / width,
        height: (upright.height * part.height) / height,
      };
    },
  };
}

/**
 * The part of a region that is in the picture, on even pixels, with a whole number of them to each pixel of
 * the sample.
 */
function wholePixels(region: Rect, plane: Plane, scale: number): Rect | undefined {
  const inside = clip(region, plane);
  if (!inside) return undefined;
  const step = scale <= 0.5 ? Math.round(1 / scale) : 1;
  const even = step % 2 === 0 ? step : 2 * step;
  const along = (from: number, length: number, most: number) => {
    const start = 2 * Math.floor(from / 2);
    const wanted = even * Math.ceil((from + length - start) / even);
    // At the far border the part is moved back, not cut.
    const shifted = Math.max(0, Math.min(start, 2 * Math.floor((most - wanted) / 2)));
    return [shifted, Math.min(wanted, most - shifted)] as const;
  };
  const [x, width] = along(inside.x, inside.width, plane.width);
  const [y, height] = along(inside.y, inside.height, plane.height);
  return { x, y, width, height };
}

/** By how many pixels of its sample each side of a part is mirrored. */
function mirroredSides(
  part: Rect,
  plane: Plane,
  { width, height }: { width: number; height: number },
) {
  const across = Math.min(MIRRORED, width);
  const down = Math.min(MIRRORED, height);
  return {
    left: part.x === 0 ? across : 0,
    right: part.x + part.width >= plane.width ? across : 0,
    top: part.y === 0 ? down : 0,
    bottom: part.y + part.height >= plane.height ? down : 0,
  };
}

function halved({ x, y, width, height }: Rect): Rect {
  return { x: x / 2, y: y / 2, width: width / 2, height: height / 2 };
}

function resized(plane: Plane, rect: Rect, width: number, height: number, own: Own): Mat {
  const region = new cv.Rect(rect.x, rect.y, Math.max(1, rect.width), Math.max(1, rect.height));
  const part = own(own(matOver(plane)).getRegion(region));
  const isReduced = width < rect.width / 1.5;
  return own(part.resize(height, width, 0, 0, isReduced ? cv.INTER_AREA : cv.INTER_LINEAR));
}

/** Maps a box of the turned sample back to the sample before it was turned, which had this size. */
function unturned(
  rect: Rect,
  turn: Turn,
  { width, height }: { width: number; height: number },
): Rect {
  const { x, y } = rect;
  switch (turn) {
    case 0:
      return rect;
    case 90:
      return { x: y, y: height - x - rect.width, width: rect.height, height: rect.width };
    case 180:
      return { ...rect, x: width - x - rect.width, y: height - y - rect.height };
    case 270:
      return { x: width - y - rect.height, y: x, width: rect.height, height: rect.width };
  }
}
