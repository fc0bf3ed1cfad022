import { frameBytes } from '@facecast/shared/media/frame-store';

/** Cells across the shorter side of a frame: even a face that fills it has no features left. */
const CELLS_ACROSS = 5;

/**
 * Makes whole frames unrecognisable, in place: each becomes a few flat cells.
 *
 * @param frames I420 planes, one frame after another
 */
export function redactFrames(
  frames: Uint8Array,
  { width, height }: { width: number; height: number },
): void {
  const size = frameBytes(width, height);
  const luma = width * height;
  for (let at = 0; at + size <= frames.length; at += size) {
    averageCells(frames.subarray(at, at + luma), width, height);
    for (const chroma of [at + luma, at + luma * 1.25])
      averageCells(frames.subarray(chroma, chroma + luma / 4), width / 2, height / 2);
  }
}

/** Gives every pixel of a plane the mean of its cell. */
function averageCells(plane: Uint8Array, width: number, height: number): void {
  const cell = Math.ceil(Math.min(width, height) / CELLS_ACROSS);
  for (let top = 0; top < height; top += cell)
    for (let left = 0; left < width; left += cell) {
      const right = Math.min(width, left + cell);
      const rows = Array.from({ length: Math.min(cell, height - top) }, (_, row) => {
        const start = (top + row) * width;
        return plane.subarray(start + left, start + right);
      });
      const sum = rows.reduce((all, row) => all + sumOf(row), 0);
      const mean = Math.round(sum / (rows.length * (right - left)));
      for (const row of rows) row.fill(mean);
    }
}

function sumOf(values: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]!;
  return sum;
}
