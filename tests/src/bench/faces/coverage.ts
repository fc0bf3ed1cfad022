import type { Size } from '@facecast/shared/media/size';
import { headOf, isIn } from '@facecast/face-detector/geometry/head';
import { distance, longerSide, type Rect } from '@facecast/face-detector/geometry/rect';
import type { FrameFaces } from '@facecast/face-detector/tracking/frame-faces';

/** Smallest heights of the classes by which faces are counted, in pixels. */
export const CLASSES = [12, 16, 24, 32, 48, 80] as const;
/** From this height on a face must not be seen. */
export const MIN_HEIGHT = 24;

/** A face is covered if this part of the points of its inside are. */
const COVERED_PART = 0.9;
/** The inside has this part of its width and height, and this many points. */
const INSIDE = 0.42;
const COLUMNS = 4;
const ROWS = 6;

/** Whether what an effect draws around the found faces covers a face, as far as it is in the picture. */
export function isCovered(face: Rect, { faces, unsearched }: FrameFaces, picture: Size): boolean {
  if (!faces) return true;
  const heads = faces.map(headOf);
  let inside = 0;
  let covered = 0;
  for (let row = 0; row < ROWS; row++)
    for (let column = 0; column < COLUMNS; column++) {
      const x = face.x + face.width * (0.5 + INSIDE * ((column + 0.5) / COLUMNS - 0.5));
      const y = face.y + face.height * (0.5 + INSIDE * ((row + 0.5) / ROWS - 0.5));
      if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) continue;
      inside++;
      const isInPart = unsearched.some(
        (part) => x >= part.x && y >= part.y && x < part.x + part.width && y < part.y + part.height,
      );
      if (isInPart || heads.some((head) => isIn(head, { x, y }))) covered++;
    }
  return covered >= COVERED_PART * inside;
}

/** Whether a detection is of this face. */
export function isOf(face: Rect, detection: Rect): boolean {
  const ratio = longerSide(detection) / longerSide(face);
  return distance(face, detection) < 0.55 * longerSide(face) && ratio > 0.42 && ratio < 2.4;
}

/** Faces that were right, by their height. */
export class Tally {
  readonly wanted = CLASSES.map(() => 0);
  readonly right = CLASSES.map(() => 0);

  add(face: Rect, isRight: boolean): void {
    const at = CLASSES.findLastIndex((least) => longerSide(face) >= least);
    if (at < 0) return;
    this.wanted[at]!++;
    if (isRight) this.right[at]!++;
  }

  /** Per cent by class, and of those that must not be seen. */
  get cells(): string[] {
    const first = CLASSES.indexOf(MIN_HEIGHT);
    const sum = (counts: number[]) => counts.slice(first).reduce((all, one) => all + one, 0);
    return [
      ...this.wanted.map((wanted, at) => percent(this.right[at]!, wanted)),
      `**${percent(sum(this.right), sum(this.wanted))}**`,
    ];
  }
}

function percent(part: number, all: number): string {
  return all === 0 ? '-' : ((100 * part) / all).toFixed(part === all ? 0 : 1);
}
