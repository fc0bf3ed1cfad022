import type { Size } from '@facecast/shared/media/size';
import type { Plane } from '../i420.js';
import { cv, matOver, withMats } from '../opencv.js';

/** Approximate side of a cell in pixels. */
const CELL = 16;
/** A cell has changed if its mean differs by more grey levels than this; noise differs by less. */
export const CHANGE = 3;
/**
 * A new scene begins if this fraction of the cells differs by this many grey levels, after the light's gain
 * and offset are removed.
 */
const CUT_PART = 0.3;
const CUT_CHANGE = 12;

/** A small picture of the luma: the mean of each cell, row after row. */
export interface Thumbnail {
  columns: number;
  rows: number;
  cells: Uint8Array;
}

/** Columns and rows of the thumbnails of pictures of this size. */
export function gridOf({ width, height }: Size): { columns: number; rows: number } {
  return { columns: Math.ceil(width / CELL), rows: Math.ceil(height / CELL) };
}

/** The thumbnail of a picture's luma plane. */
export function thumbnailOf(luma: Plane): Thumbnail {
  const { columns, rows } = gridOf(luma);
  const cells = withMats((own) => {
    // Halved first, because OpenCV is then many times as fast as in one step.
    const half = own(
      own(matOver(luma)).resize(
        Math.max(1, luma.height >> 1),
        Math.max(1, luma.width >> 1),
        ...([0, 0, cv.INTER_AREA] as const),
      ),
    );
    return own(half.resize(rows, columns, 0, 0, cv.INTER_AREA)).getData();
  });
  return { columns, rows, cells };
}

/** Whether a cell differs between two thumbnails. */
export function hasChanged(a: Thumbnail, b: Thumbnail, cell: number): boolean {
  return Math.abs(a.cells[cell]! - b.cells[cell]!) > CHANGE;
}

/**
 * Whether a cell shows something that neither the thumbnail before nor the one after shows. A value between
 * two similar values does not count: an edge moves through the cell. Between two very different values, as
 * in a change of light, it does.
 */
export function isOddOneOut(
  { cells }: Thumbnail,
  before: Thumbnail,
  after: Thumbnail,
  cell: number,
): boolean {
  const [one, other] = [before.cells[cell]!, after.cells[cell]!];
  const value = cells[cell]!;
  const isBetween = value > Math.min(one, other) && value < Math.max(one, other);
  if (isBetween && Math.abs(one - other) <= CUT_CHANGE) return false;
  return Math.abs(value - one) > CHANGE && Math.abs(value - other) > CHANGE;
}

/**
 * Whether a new scene begins between two consecutive pictures. Differences that another light explains (a
 * least-squares fit of gain and offset) do not count.
 */
export function isCut(before: Thumbnail, after: Thumbnail): boolean {
  if (before.cells.length !== after.cells.length) return true;
  const light = lightChange(before.cells, after.cells);
  const changed = [{ gain: 1, offset: 0 }, light].map(({ gain, offset }) =>
    after.cells.reduce(
      (count, value, n) =>
        count + Number(Math.abs(value - gain * before.cells[n]! - offset) > CUT_CHANGE),
      0,
    ),
  );
  return Math.min(...changed) > CUT_PART * after.cells.length;
}

function lightChange(before: Uint8Array, after: Uint8Array): { gain: number; offset: number } {
  const count = before.length;
  const mean = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0) / count;
  const [meanBefore, meanAfter] = [mean(before), mean(after)];
  let covariance = 0;
  let variance = 0;
  for (let n = 0; n < count; n++) {
    covariance += (before[n]! - meanBefore) * (after[n]! - meanAfter);
    variance += (before[n]! - meanBefore) ** 2;
  }
  const gain = variance === 0 ? 0 : Math.max(0, covariance / variance);
  return { gain, offset: meanAfter - gain * meanBefore };
}
