import { fill, halved, visible, type Area } from '../geometry/area.js';
import type { Rect } from '../geometry/rect.js';
import type { I420Frame } from '../i420.js';

/** RGB 0,255,0 in limited range (ITU-R BT.601-7, 2.5.3 and 2.5.4). */
const GREEN = { y: 145, u: 54, v: 34 };

/** Thickness of an outline in pixels; even, because one chroma sample colours two. */
const THICKNESS = 2;

/**
 * Draws a green outline along the inside of the face's box. The box is widened to even pixels, so that no
 * chroma sample is shared with a pixel beside the outline. It is clipped to the picture, so that the
 * visible part of a face always has an outline around it.
 */
export function drawBox(frame: I420Frame, face: Rect): void {
  const box = visible(
    {
      left: 2 * Math.floor(face.x / 2),
      top: 2 * Math.floor(face.y / 2),
      right: 2 * Math.ceil((face.x + face.width) / 2),
      bottom: 2 * Math.ceil((face.y + face.height) / 2),
    },
    frame.y,
  );
  if (!box) return;
  for (const side of sidesOf(box)) {
    fill(frame.y, side, GREEN.y);
    fill(frame.u, halved(side), GREEN.u);
    fill(frame.v, halved(side), GREEN.v);
  }
}

function sidesOf({ left, top, right, bottom }: Area): Area[] {
  return [
    { left, top, right, bottom: top + THICKNESS },
    { left, top: bottom - THICKNESS, right, bottom },
    { left, top, right: left + THICKNESS, bottom },
    { left: right - THICKNESS, top, right, bottom },
  ];
}
