import type { Area } from '../geometry/area.js';
import type { Plane } from '../i420.js';

/** Mean values of an area's square cells, row after row; cells at the right and bottom may be cut. */
export interface Cells {
  columns: number;
  rows: number;
  values: Float32Array;
}

/** Numbers of a cell's lines and columns, evenly spread, whose mean is taken for the cell's. */
const LINES_SUMMED = 8;
const COLUMNS_SUMMED = 12;

/** The mean of each cell of `size` x `size` pixels, counted from the area's top left. */
export function meansOf({ pixels, width }: Plane, area: Area, size: number): Cells {
  const columns = Math.ceil((area.right - area.left) / size);
  const rows = Math.ceil((area.bottom - area.top) / size);
  const values = new Float32Array(columns * rows);
  const step = Math.ceil(size / LINES_SUMMED);
  const along = Math.ceil(size / COLUMNS_SUMMED);
  for (let row = 0; row < rows; row++) {
    const top = area.top + row * size;
    const bottom = Math.min(area.bottom, top + size);
    for (let column = 0; column < columns; column++) {
      const left = area.left + column * size;
      const right = Math.min(area.right, left + size);
      let sum = 0;
      let summed = 0;
      for (let y = top; y < bottom; y += step) {
        const end = y * width + right;
        for (let at = y * width + left; at < end; at += along) sum += pixels[at]!;
        summed += Math.ceil((right - left) / along);
      }
      values[row * columns + column] = sum / summed;
    }
  }
  return { columns, rows, values };
}
