import { areaAround, evenCell, halved, type Area, type Ellipse } from '../geometry/area.js';
import type { I420Frame, Plane } from '../i420.js';
import { meansOf } from './cells.js';

/** Cells along the longer side of a face: too few for a finder or a person to recognise it. */
const CELLS_ACROSS_FACE = 3.5;
const SMALLEST_CELL = 10;

/**
 * Covers an ellipse with flat cells that make a face of this size unrecognisable. The cells lie on a grid
 * that is fixed to the picture, so that it does not move with the box.
 */
export function pixelateAround(frame: I420Frame, ellipse: Ellipse, faceSize: number): void {
  const cell = evenCell(faceSize / CELLS_ACROSS_FACE, SMALLEST_CELL);
  const area = areaAround(ellipse, frame.y, cell);
  if (!area) return;
  pixelate(frame.y, area, cell);
  pixelate(frame.u, halved(area), cell / 2);
  pixelate(frame.v, halved(area), cell / 2);
}

function pixelate(plane: Plane, area: Area, cell: number): void {
  const { pixels, width } = plane;
  const { columns, values } = meansOf(plane, area, cell);
  for (let top = area.top; top < area.bottom; top += cell) {
    const row = ((top - area.top) / cell) * columns;
    const line = top * width;
    for (let column = 0; column < columns; column++) {
      const left = area.left + column * cell;
      const right = Math.min(area.right, left + cell);
      pixels.fill(Math.round(values[row + column]!), line + left, line + right);
    }
    // The other lines of these cells are copies of the first.
    for (let y = top + 1; y < Math.min(area.bottom, top + cell); y++)
      pixels.copyWithin(y * width + area.left, line + area.left, line + area.right);
  }
}
