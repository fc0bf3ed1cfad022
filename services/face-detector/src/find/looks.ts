import { headOf, type Area, type Ellipse, type Head } from '../effects/area.js';
import type { Plane } from '../i420.js';
import type { Place } from './face-finder.js';
import { cv, matOver, withMats } from './opencv.js';
import { within } from './place.js';

/** A picture is compared in so many cells. */
const COLUMNS = 40;
const ROWS = 30;
/** A cell whose mean differs by more grey levels than this shows something else: noise is less. */
const LEAST_CHANGE = 3;
/** What is new is searched with so many cells around it: a face may differ in part of its cells only. */
const CELLS_AROUND = 2;
/** What has changed in more places than this is searched in larger parts: each has a price of its own. */
const MOST_PARTS = 4;

/** Characters of a picture's looks. */
export const LOOKS_LENGTH = (4 * COLUMNS * ROWS) / 3;

/** The looks of a picture: the mean grey level of each cell, row after row, in base64. */
export function looksOf(picture: Plane): string {
  return withMats((own) =>
    own(own(matOver(picture)).resize(ROWS, COLUMNS, 0, 0, cv.INTER_AREA)).getData(),
  ).toString('base64');
}

/**
 * Parts of a picture outside of which nothing differs from its looks when that was last searched, but
 * what is covered by the heads of `known` faces; none where nothing differs. They share no pixel.
 */
export function changedParts(
  looks: string,
  searched: string,
  known: readonly Head[],
  picture: Plane,
): Place[] {
  const [now, then] = [bytesOf(looks), bytesOf(searched)];
  const cell = cellOf(picture);
  const heads = known.map(headOf);
  let parts: Area[] = [];
  for (const [at, look] of now.entries()) {
    if (Math.abs(look - then[at]!) <= LEAST_CHANGE) continue;
    const [column, row] = placeOf(at);
    const middle = { x: (column + 0.5) * cell.width, y: (row + 0.5) * cell.height };
    if (!heads.some((head) => isIn(head, middle))) parts = joined(parts, around(column, row));
  }
  while (parts.length > MOST_PARTS) parts = joined(parts.slice(2), union(parts[0]!, parts[1]!));
  return parts.flatMap(({ left, top, right, bottom }) => {
    const x = left * cell.width;
    const y = top * cell.height;
    const part = { x, y, width: right * cell.width - x, height: bottom * cell.height - y };
    return within(part, picture) ?? [];
  });
}

/** The cells around one, itself included. */
function around(column: number, row: number): Area {
  return {
    left: Math.max(0, column - CELLS_AROUND),
    top: Math.max(0, row - CELLS_AROUND),
    right: Math.min(COLUMNS, column + 1 + CELLS_AROUND),
    bottom: Math.min(ROWS, row + 1 + CELLS_AROUND),
  };
}

/** Areas that share nothing, and one more: those that it shares something with become one with it. */
function joined(areas: Area[], area: Area): Area[] {
  const other = areas.find((one) => sharesCells(one, area));
  if (!other) return [...areas, area];
  return joined(
    areas.filter((one) => one !== other),
    union(other, area),
  );
}

function sharesCells(a: Area, b: Area): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function union(a: Area, b: Area): Area {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
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
