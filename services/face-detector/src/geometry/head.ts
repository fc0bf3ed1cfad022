import type { Ellipse } from './area.js';
import type { Rect } from './rect.js';

/** A head is this many times as wide and high as its face's box, which goes from the hairline to the chin. */
const HEAD_WIDTH = 1.6;
const HEAD_HEIGHT = 1.55;

/** A face whose box may be off by `margin` pixels in any direction. */
export type UncertainFace = Rect & { margin: number };

/** The ellipse that covers the whole head whose face is in the box, the box included. */
export function headOf({ x, y, width, height, margin }: UncertainFace): Ellipse {
  return {
    x: x + width / 2,
    y: y + height / 2,
    radiusX: (width * HEAD_WIDTH) / 2 + margin,
    radiusY: (height * HEAD_HEIGHT) / 2 + margin,
  };
}

/** Whether a point is in the ellipse. */
export function isIn(ellipse: Ellipse, { x, y }: { x: number; y: number }): boolean {
  return Math.hypot((x - ellipse.x) / ellipse.radiusX, (y - ellipse.y) / ellipse.radiusY) <= 1;
}

/** Whether all of a box is in the ellipse. */
export function contains(ellipse: Ellipse, { x, y, width, height }: Rect): boolean {
  return [x, x + width].every((right) =>
    [y, y + height].every((down) => isIn(ellipse, { x: right, y: down })),
  );
}
