import type { I420Frame, Plane } from '../i420.js';

/** Part of a plane in whole pixels; `right` and `bottom` are just outside of it. */
export interface Area {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** An ellipse with horizontal and vertical radius. */
export interface Ellipse {
  x: number;
  y: number;
  radiusX: number;
  radiusY: number;
}

/**
 * The smallest area that covers the ellipse and whose borders are multiples of `step`, clipped to the
 * plane; undefined if it is outside the plane.
 */
export function areaAround(
  { x, y, radiusX, radiusY }: Ellipse,
  plane: Plane,
  step: number,
): Area | undefined {
  return visible(
    {
      left: Math.floor((x - radiusX) / step) * step,
      top: Math.floor((y - radiusY) / step) * step,
      right: Math.ceil((x + radiusX) / step) * step,
      bottom: Math.ceil((y + radiusY) / step) * step,
    },
    plane,
  );
}

/** The part of an area that is in the plane; undefined if there is none. */
export function visible(area: Area, { width, height }: Plane): Area | undefined {
  const left = Math.max(0, area.left);
  const top = Math.max(0, area.top);
  const right = Math.min(width, area.right);
  const bottom = Math.min(height, area.bottom);
  return left < right && top < bottom ? { left, top, right, bottom } : undefined;
}

/** The chroma samples of an area of luma pixels with even borders. */
export function halved({ left, top, right, bottom }: Area): Area {
  return { left: left / 2, top: top / 2, right: right / 2, bottom: bottom / 2 };
}

/** Rounds a cell's size to an even number of luma pixels, so that the chroma cell has exactly half of it. */
export function evenCell(wanted: number, least: number): number {
  return Math.max(least, 2 * Math.round(wanted / 2));
}

/** All of a frame, as an area of its luma plane. */
export function wholeArea({ y }: I420Frame): Area {
  return { left: 0, top: 0, right: y.width, bottom: y.height };
}

/** Gives all pixels of an area one value. */
export function fill({ pixels, width }: Plane, area: Area, value: number): void {
  for (let y = area.top; y < area.bottom; y++)
    pixels.fill(value, y * width + area.left, y * width + area.right);
}
