import type { Plane } from '../i420.js';
import type { Area } from './area.js';

/** Mean values of an area's square cells, row after row; cells at the right and bottom may be cut. */
export interface Cells {
  columns: number;
  rows: number;
  values: Float32Array;
}

/** The mean of each cell of `size` x `size` pixels, counted from the area's top left. */
export function meansOf({ pixels, width }: Plane, area: Area, size: number): Cells {
  const columns = Math.ceil((area.right - area.left) / size);
  const rows = Math.ceil((area.bottom - area.top) / size);
  const values = new Float32Array(columns * rows);
  for (let y = area.top; y < area.bottom; y++) {
    const row = Math.floor((y - area.top) / size) * columns;
    for (let column = 0; column < columns; column++) {
      const from = area.left + column * size;
      const end = y * width + Math.min(area.right, from + size);
      let sum = 0;
      for (let at = y * width + from; at < end; at++) sum += pixels[at]!;
      values[row + column]! += sum;
    }
  }
  for (let row = 0; row < rows; row++) {
    const high = Math.min(size, area.bottom - area.top - row * size);
    for (let column = 0; column < columns; column++) {
      const wide = Math.min(size, area.right - area.left - column * size);
      values[row * columns + column]! /= high * wide;
    }
  }
  return { columns, rows, values };
}
