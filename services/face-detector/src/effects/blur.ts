import type { Face } from '@facecast/shared/messages';
import type { I420Frame, Plane } from '../i420.js';
import { areaAround, evenCell, halved, headOf, wholeOf, type Area, type Ellipse } from './area.js';
import { meansOf, type Cells } from './cells.js';

/** So many cells across a face, smoothed on top of that, leave no features. */
const CELLS_ACROSS_FACE = 4;
const SMALLEST_CELL = 8;
/** So many cells across the shorter side of a frame leave no features of a face that fills it. */
const CELLS_ACROSS_FRAME = 5;

/** Blurs the head around a face, in an ellipse. */
export function blurHead(frame: I420Frame, face: Face): void {
  const head = headOf(face);
  const area = areaAround(head, frame.y, 2);
  if (area) blurFrame(frame, area, evenCell(face.width / CELLS_ACROSS_FACE, SMALLEST_CELL), head);
}

/** Blurs all of a frame. */
export function blurWhole(frame: I420Frame): void {
  const shorter = Math.min(frame.y.width, frame.y.height);
  blurFrame(frame, wholeOf(frame), evenCell(shorter / CELLS_ACROSS_FRAME, SMALLEST_CELL));
}

/**
 * A wide blur for the price of a narrow one: the means of coarse cells, smoothed, and drawn again
 * with linear interpolation between the cells' middles.
 */
function blurFrame(frame: I420Frame, area: Area, cell: number, within?: Ellipse): void {
  blurPlane(frame.y, area, cell, within);
  blurPlane(frame.u, halved(area), cell / 2, within && halfOf(within));
  blurPlane(frame.v, halved(area), cell / 2, within && halfOf(within));
}

function halfOf({ x, y, radiusX, radiusY }: Ellipse): Ellipse {
  return { x: x / 2, y: y / 2, radiusX: radiusX / 2, radiusY: radiusY / 2 };
}

function blurPlane(plane: Plane, area: Area, cell: number, within: Ellipse | undefined): void {
  const cells = smoothed(meansOf(plane, area, cell));
  const { columns } = cells;
  const width = area.right - area.left;
  const along = interpolation(width, cell, columns);
  const down = interpolation(area.bottom - area.top, cell, cells.rows);
  const line = new Float32Array(columns + 1);
  for (let y = area.top; y < area.bottom; y++) {
    const [from, to] = within ? spanOf(within, y, area) : [area.left, area.right];
    blendRows(cells, down.before[y - area.top]!, down.weight[y - area.top]!, line);
    const start = y * plane.width;
    for (let x = from; x < to; x++) {
      const column = along.before[x - area.left]!;
      const here = line[column]!;
      const value = here + (line[column + 1]! - here) * along.weight[x - area.left]!;
      plane.pixels[start + x] = value + 0.5;
    }
  }
}

/** Each cell mixed with its eight neighbours, 1-2-1 in both directions. */
function smoothed({ columns, rows, values }: Cells): Cells {
  const mixed = new Float32Array(values.length);
  const at = (row: number, column: number) =>
    values[
      Math.min(rows - 1, Math.max(0, row)) * columns + Math.min(columns - 1, Math.max(0, column))
    ]!;
  const across = (row: number, column: number) =>
    at(row, column - 1) + 2 * at(row, column) + at(row, column + 1);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      mixed[row * columns + column] =
        (across(row - 1, column) + 2 * across(row, column) + across(row + 1, column)) / 16;
  return { columns, rows, values: mixed };
}

/** For each pixel: the last cell whose middle is not after it, and the next cell's part of it. */
function interpolation(pixels: number, cell: number, cells: number) {
  const before = new Int32Array(pixels);
  const weight = new Float32Array(pixels);
  for (let n = 0; n < pixels; n++) {
    const position = Math.min(cells - 1, Math.max(0, (n + 0.5) / cell - 0.5));
    before[n] = Math.floor(position);
    weight[n] = position - Math.floor(position);
  }
  return { before, weight };
}

/** Writes the blend of row `before` and the next to `line`, its last value twice. */
function blendRows(cells: Cells, before: number, weight: number, line: Float32Array): void {
  const { columns, rows, values } = cells;
  const upper = before * columns;
  const lower = Math.min(rows - 1, before + 1) * columns;
  for (let column = 0; column < columns; column++) {
    const here = values[upper + column]!;
    line[column] = here + (values[lower + column]! - here) * weight;
  }
  line[columns] = line[columns - 1]!;
}

/** The pixels of row `y` that the ellipse touches, first and one past the last, within the area. */
function spanOf(ellipse: Ellipse, y: number, area: Area): [number, number] {
  // The pixel's edge that is nearer to the middle: a pixel that is only touched is blurred too.
  const nearest = Math.min(Math.max(ellipse.y, y), y + 1);
  const down = (nearest - ellipse.y) / ellipse.radiusY;
  if (Math.abs(down) >= 1) return [area.left, area.left];
  const reach = ellipse.radiusX * Math.sqrt(1 - down * down);
  return [
    Math.max(area.left, Math.floor(ellipse.x - reach)),
    Math.min(area.right, Math.ceil(ellipse.x + reach)),
  ];
}
