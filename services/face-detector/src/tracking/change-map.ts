import type { Size } from '@facecast/shared/media/size';
import type { Area, Ellipse } from '../geometry/area.js';
import { isIn } from '../geometry/head.js';
import { clip, inflate, longerSide, type Rect } from '../geometry/rect.js';
import { CHANGE, type Thumbnail } from './thumbnail.js';
import { ALL_BITS, bitOf, CHANGED, type View } from './views.js';

/** Margin around changed cells that is searched, too: in pixels, and as a fraction of their longer side. */
const AROUND_PIXELS = 32;
const AROUND_PART = 0.2;
/**
 * Maximum number of parts that are searched; more are joined to larger ones, because each look has a fixed
 * cost.
 */
const MAX_PARTS = 4;

/**
 * Which cells of a picture have changed since each view searched them, so that no view searches anything
 * twice. It does not modify its arguments.
 */
export class ChangeMap {
  private readonly reference: Uint8Array;
  private readonly pending: Uint8Array;

  /**
   * @param reference each cell when it last changed
   * @param pending for each cell a mask of the views that have not seen it since
   */
  constructor(
    private readonly grid: { columns: number; rows: number },
    private readonly picture: Size,
    reference: Uint8Array,
    pending: Uint8Array,
  ) {
    this.reference = Uint8Array.from(reference);
    this.pending = Uint8Array.from(pending);
  }

  /** A picture of which nothing was searched yet. */
  static unseen({ cells, ...grid }: Thumbnail, picture: Size): ChangeMap {
    return new ChangeMap(grid, picture, cells, new Uint8Array(cells.length).fill(ALL_BITS));
  }

  /** Marks cells that differ from their reference as to be searched in all views. */
  observe({ cells }: Thumbnail): void {
    for (let n = 0; n < cells.length; n++)
      if (Math.abs(cells[n]! - this.reference[n]!) > CHANGE) {
        this.reference[n] = cells[n]!;
        this.pending[n] = ALL_BITS;
      }
  }

  /** Records that the view has searched this region. */
  seen(view: View, region: Rect): void {
    const keep = ~bitOf(view);
    for (const n of cellsWithin(this.grid, this.picture, region)) this.pending[n]! &= keep;
  }

  /** Records that a face was found in this box. */
  found(box: Rect): void {
    for (const n of cellsTouching(this.grid, this.picture, box)) this.pending[n]! &= ~CHANGED;
  }

  /** Whether anything in the box has changed since a face was found there. */
  hasMoved(box: Rect): boolean {
    return cellsTouching(this.grid, this.picture, box).some((n) => this.pending[n]! & CHANGED);
  }

  /** The parts of the picture that are to be searched in this view, without those that are covered. */
  parts(view: View, covered: readonly Ellipse[]): Rect[] {
    const bit = bitOf(view);
    return partsOf(this.grid, this.picture, covered, (n) => (this.pending[n]! & bit) !== 0);
  }

  get state(): { reference: Uint8Array; pending: Uint8Array } {
    return { reference: this.reference, pending: this.pending };
  }
}

/**
 * A few boxes that contain, with a margin, all cells for which `isWanted` holds and whose centre is not
 * covered. They may overlap.
 */
export function partsOf(
  grid: { columns: number; rows: number },
  picture: Size,
  covered: readonly Ellipse[],
  isWanted: (cell: number) => boolean,
): Rect[] {
  const { width, height } = cellOf(grid, picture);
  let areas: Area[] = [];
  for (let n = 0; n < grid.columns * grid.rows; n++) {
    if (!isWanted(n)) continue;
    const column = n % grid.columns;
    const row = Math.floor(n / grid.columns);
    const middle = { x: (column + 0.5) * width, y: (row + 0.5) * height };
    if (covered.some((one) => isIn(one, middle))) continue;
    areas = joined(areas, { left: column, top: row, right: column + 1, bottom: row + 1 });
  }
  while (areas.length > MAX_PARTS) areas = joined(areas.slice(2), union(areas[0]!, areas[1]!));
  return areas.flatMap(({ left, top, right, bottom }) => {
    const part = {
      ...{ x: left * width, y: top * height },
      ...{ width: (right - left) * width, height: (bottom - top) * height },
    };
    return clip(inflate(part, AROUND_PIXELS + AROUND_PART * longerSide(part)), picture) ?? [];
  });
}

/** Adds an area to separate ones, and joins it with those that are near. */
function joined(areas: Area[], area: Area): Area[] {
  const other = areas.find((one) => isNear(one, area));
  if (!other) return [...areas, area];
  return joined(
    areas.filter((one) => one !== other),
    union(other, area),
  );
}

function isNear(a: Area, b: Area): boolean {
  const gap = 2;
  return (
    a.left < b.right + gap &&
    b.left < a.right + gap &&
    a.top < b.bottom + gap &&
    b.top < a.bottom + gap
  );
}

function union(a: Area, b: Area): Area {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/** Indexes of the cells that lie completely within a box; at the picture's border also those that are cut. */
function cellsWithin(grid: Grid, picture: Size, box: Rect): number[] {
  const { width, height } = cellOf(grid, picture);
  return cellsOf(grid, {
    left: Math.ceil(box.x / width - 0.01),
    top: Math.ceil(box.y / height - 0.01),
    right: Math.floor((box.x + box.width) / width + 0.01),
    bottom: Math.floor((box.y + box.height) / height + 0.01),
  });
}

/** Indexes of the cells that overlap a box. */
function cellsTouching(grid: Grid, picture: Size, box: Rect): number[] {
  const { width, height } = cellOf(grid, picture);
  return cellsOf(grid, {
    left: Math.floor(box.x / width),
    top: Math.floor(box.y / height),
    right: Math.ceil((box.x + box.width) / width),
    bottom: Math.ceil((box.y + box.height) / height),
  });
}

type Grid = { columns: number; rows: number };

function cellsOf({ columns, rows }: Grid, { left, top, right, bottom }: Area): number[] {
  const cells: number[] = [];
  for (let row = Math.max(0, top); row < Math.min(rows, bottom); row++)
    for (let column = Math.max(0, left); column < Math.min(columns, right); column++)
      cells.push(row * columns + column);
  return cells;
}

function cellOf({ columns, rows }: Grid, { width, height }: Size): Size {
  return { width: width / columns, height: height / rows };
}
