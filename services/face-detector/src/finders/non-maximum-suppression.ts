import { containment, iou, longerSide, sharedArea, type Rect } from '../geometry/rect.js';
import type { Detection } from './face-finder.js';

/** Boxes with a higher IoU than this are of one face. */
const SAME_FACE_IOU = 0.35;
/**
 * Boxes of which one contains more than this fraction of the other are of one face, too, unless it is many
 * times as large.
 */
const SAME_FACE_CONTAINMENT = 0.7;
const SAME_FACE_MAX_RATIO = 2.5;

/** Whether two boxes are of one face. */
export function isSameFace(a: Rect, b: Rect): boolean {
  if (sharedArea(a, b) === 0) return false;
  if (iou(a, b) > SAME_FACE_IOU) return true;
  const ratio = longerSide(a) / longerSide(b);
  const isAlike = Math.max(ratio, 1 / ratio) < SAME_FACE_MAX_RATIO;
  return isAlike && containment(a, b) > SAME_FACE_CONTAINMENT;
}

/**
 * Maximum number of detections in one sample that are compared, best first: each is compared with all
 * others.
 */
export const MAX_DETECTIONS = 1_000;

/** Keeps only the box with the best score for each face; best first. */
export function suppressNonMaxima<Found extends Detection>(detections: readonly Found[]): Found[] {
  const kept: Found[] = [];
  const best = [...detections].sort((a, b) => b.score - a.score).slice(0, MAX_DETECTIONS);
  for (const one of best) if (!kept.some((better) => isSameFace(better, one))) kept.push(one);
  return kept;
}
