import { distance, longerSide, type Rect } from '../geometry/rect.js';

/** Maximum distance of a detection from the expected place of a face, in sizes of the face. */
const MAX_DISTANCE = 1.5;
/** A detection that is this many times as large or small as expected is another face. */
const MAX_RESIZED = 1.8;

/**
 * Matches detections with expected faces: nearest pairs first, each at most once.
 *
 * @returns detections by the index of the expected box
 */
export function matchGreedily<Found extends Rect>(
  expected: readonly Rect[],
  detections: readonly Found[],
): Map<number, Found> {
  const pairs = expected
    .flatMap((box, n) => detections.map((one) => ({ n, one, cost: costOf(box, one) })))
    .filter(({ cost }) => cost <= MAX_DISTANCE)
    .sort((a, b) => a.cost - b.cost);
  const matched = new Map<number, Found>();
  const taken = new Set<Found>();
  for (const { n, one } of pairs) {
    if (matched.has(n) || taken.has(one)) continue;
    matched.set(n, one);
    taken.add(one);
  }
  return matched;
}

function costOf(expected: Rect, detection: Rect): number {
  const ratio = longerSide(detection) / longerSide(expected);
  if (ratio > MAX_RESIZED || ratio < 1 / MAX_RESIZED) return Infinity;
  return (2 * distance(expected, detection)) / (longerSide(expected) + longerSide(detection));
}
