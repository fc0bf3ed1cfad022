import type { I420Frame } from '../i420.js';
import { areaAround, fill, halved, headOf, wholeOf, type Area, type Head } from './area.js';

/** Black in limited range (ITU-R BT.601-7, 2.5.3 and 2.5.4). */
const BLACK = { y: 16, u: 128, v: 128 };

/** Covers the head around a face with a black rectangle. */
export function blackenHead(frame: I420Frame, face: Head): void {
  const area = areaAround(headOf(face), frame.y, 2);
  if (area) blacken(frame, area);
}

/** Makes all of a frame black. */
export function blackenWhole(frame: I420Frame): void {
  blacken(frame, wholeOf(frame));
}

function blacken(frame: I420Frame, area: Area): void {
  fill(frame.y, area, BLACK.y);
  fill(frame.u, halved(area), BLACK.u);
  fill(frame.v, halved(area), BLACK.v);
}
