import { areaAround, fill, halved, wholeArea, type Area, type Ellipse } from '../geometry/area.js';
import type { I420Frame } from '../i420.js';

/** Black in limited range (ITU-R BT.601-7, 2.5.3 and 2.5.4). */
const BLACK = { y: 16, u: 128, v: 128 };

/** Covers the ellipse with a black rectangle. */
export function blackenAround(frame: I420Frame, ellipse: Ellipse): void {
  const area = areaAround(ellipse, frame.y, 2);
  if (area) blacken(frame, area);
}

/** Makes all of a frame black. */
export function blackenWhole(frame: I420Frame): void {
  blacken(frame, wholeArea(frame));
}

function blacken(frame: I420Frame, area: Area): void {
  fill(frame.y, area, BLACK.y);
  fill(frame.u, halved(area), BLACK.u);
  fill(frame.v, halved(area), BLACK.v);
}
