import { headOf, type Ellipse, type Head } from '../effects/area.js';
import type { Plane } from '../i420.js';
import type { Place } from './face-finder.js';
import { cv, matOver, withMats } from './opencv.js';
import { grown, within } from './place.js';

/** A picture is compared in so many cells. */
const COLUMNS = 40;
const ROWS = 30;
/** A cell whose mean differs by more grey levels than this shows something else: noise is less. */
const LEAST_CHANGE = 3;
/** What is new is searched with so many cells around it: a face may differ in part of its cells only. */
const CELLS_AROUND = 2;

/** Characters of a picture's looks. */
export const LOOKS_LENGTH = (4 * COLUMNS * ROWS) / 3;

/** The looks of a picture: the mean grey level of each cell, row after row, in base64. */
export function looksOf(picture: Plane): string {
  return withMats((own) =>
    own(own(matOver(picture)).resize(ROWS, COLUMNS, 0, 0, cv.INTER_AREA)).getData(),
  ).toString('base64');
}

/**
 * The smallest part of a picture outside of which nothing differs from its looks when that was last
 * searched, but what is covered by the heads of `known` faces; undefined where nothing differs.
 */
export function changedPart(
  looks: string,
  searched: string,
  known: readonly Head[],
  picture: Plane,
): Place | undefined {
  const [now, then] = [bytesOf(looks), bytesOf(searched)];
  const cell = cellOf(picture);
  const heads = known.map(headOf);
  let [left, top, right, bottom] = [COLUMNS, ROWS, 0, 0];
  for (const [at, look] of now.entries()) {
    if (Math.abs(look - then[at]!) <= LEAST_CHANGE) continue;
    const [column, row] = placeOf(at);
    const middle = { x: (column + 0.5) * cell.width, y: (row + 0.5) * cell.height };
    if (heads.some((head) => isIn(head, middle))) continue;
    [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
  }
  if (left >= right) return undefined;
  const changed = {
    x: left * cell.width,
    y: top * cell.height,
    width: (right - left) * cell.width,
    height: (bottom - top) * cell.height,
  };
  return within(grown(changed, CELLS_AROUND * Math.max(cell.width, cell.height)), picture);
}

function cellOf({ width, height }: Plane): { width: number; height: number } {
  return { width: width / COLUMNS, height: height / ROWS };
}

function placeOf(at: number): [column: number, row: number] {
  return [at % COLUMNS, Math.floor(at / COLUMNS)];
}

function isIn(head: Ellipse, { x, y }: { x: number; y: number }): boolean {
  return Math.hypot((x - head.x) / head.radiusX, (y - head.y) / head.radiusY) <= 1;
}

function bytesOf(looks: string): Buffer {
  return Buffer.from(looks, 'base64');
}
