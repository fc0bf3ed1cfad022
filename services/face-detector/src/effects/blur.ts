import {
  areaAround,
  evenCell,
  halved,
  wholeArea,
  type Area,
  type Ellipse,
} from '../geometry/area.js';
import type { I420Frame, Plane } from '../i420.js';
import { meansOf, type Cells } from './cells.js';

/**
 * Cells along the longer side of a face. So few, and smoothed, they leave no features, nor a bright spot
 * that a finder takes for a distant face.
 */
const CELLS_ACROSS_FACE = 2.5;
const SMALLEST_CELL = 16;
/**
 * The radii of the blurred area are this many times those of the head: finders infer a face from the hair and
 * neck around it.
 */
const LARGER_THAN_HEAD = 1.2;
/** Corners are rounded by this fraction of the shorter radius, so that the shape is not that of a head. */
const ROUNDED = 0.6;
/** Lines that are drawn for each cell's height, each at least so many pixels high: steps that low are invisible. */
const LINES_A_CELL = 10;
const LOWEST_LINE = 3;
/** Cells along the shorter side of a whole frame: so few leave no features of a face that fills it. */
const CELLS_ACROSS_FRAME = 5;

/** Blurs a rounded box around an ellipse so far that a face of this size is unrecognisable. */
export function blurAround(frame: I420Frame, ellipse: Ellipse, faceSize: number): void {
  const within = {
    ...ellipse,
    radiusX: ellipse.radiusX * LARGER_THAN_HEAD,
    radiusY: ellipse.radiusY * LARGER_THAN_HEAD,
  };
  const area = areaAround(within, frame.y, 2);
  if (area) blurFrame(frame, area, evenCell(faceSize / CELLS_ACROSS_FACE, SMALLEST_CELL), within);
}

/** Blurs all of a frame. */
export function blurWhole(frame: I420Frame): void {
  const shorter = Math.min(frame.y.width, frame.y.height);
  blurFrame(frame, wholeArea(frame), evenCell(shorter / CELLS_ACROSS_FRAME, SMALLEST_CELL));
}

/**
 * Blurs an area at low cost: takes the means of coarse cells, smooths them, and draws them with linear
 * interpolation between the cells' centres.
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
  const values = new Float32Array(cells.columns);
  const line = new Uint8Array(area.right - area.left);
  const height = Math.max(LOWEST_LINE, Math.ceil(cell / LINES_A_CELL));
  for (let top = area.top; top < area.bottom; top += height) {
    blendRows(cells, (top - area.top + height / 2) / cell - 0.5, values);
    drawLine(line, values, cell);
    for (let y = top; y < Math.min(top + height, area.bottom); y++) {
      const [from, to] = within ? spanOf(within, y, area) : [area.left, area.right];
      if (from < to)
        plane.pixels.set(line.subarray(from - area.left, to - area.left), y * plane.width + from);
    }
  }
}

/**
 * Writes the cells' interpolated values at a height to `blended`. The height is in rows of cells, from the
 * first row's centre.
 */
function blendRows({ columns, rows, values }: Cells, height: number, blended: Float32Array): void {
  const within = Math.min(rows - 1, Math.max(0, height));
  const upper = Math.floor(within);
  const lower = Math.min(rows - 1, upper + 1);
  const weight = within - upper;
  for (let column = 0; column < columns; column++) {
    const here = values[upper * columns + column]!;
    blended[column] = here + (values[lower * columns + column]! - here) * weight;
  }
}

/** Fills the line of pixels with the values of its cells. */
function drawLine(line: Uint8Array, values: Float32Array, cell: number): void {
  let n = 0;
  // Between the centres of two cells the values are interpolated linearly.
  for (let column = -1; n < line.length; column++) {
    const left = values[Math.max(0, column)]!;
    const right = values[Math.min(values.length - 1, column + 1)]!;
    const middle = (column + 0.5) * cell - 0.5;
    const end = Math.min(line.length, Math.ceil(middle + cell));
    // Fixed point with 16 bits of fraction, because this loop must be fast.
    const step = Math.round(((right - left) / cell) * 65536);
    let value = Math.round((left + ((n - middle) * (right - left)) / cell + 0.5) * 65536);
    for (; n < end; n++) {
      line[n] = value >> 16;
      value += step;
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

/** The pixels of row `y` that lie in the rounded box and the area: the first one, and one past the last. */
function spanOf(
  { x, y: middle, radiusX, radiusY }: Ellipse,
  y: number,
  area: Area,
): [number, number] {
  // The pixel's edge that is nearer to the centre: a pixel that is only touched is blurred, too.
  const nearest = Math.min(Math.max(middle, y), y + 1);
  const down = Math.abs(nearest - middle);
  if (down >= radiusY) return [area.left, area.left];
  const corner = ROUNDED * Math.min(radiusX, radiusY);
  const inCorner = Math.max(0, down - (radiusY - corner));
  const reach = radiusX - corner + Math.sqrt(corner ** 2 - inCorner ** 2);
  return [Math.max(area.left, Math.floor(x - reach)), Math.min(area.right, Math.ceil(x + reach))];
}
