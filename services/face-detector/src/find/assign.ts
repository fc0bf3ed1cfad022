import type { Place } from './face-finder.js';
import { distance } from './place.js';

/** A find farther than this from where a face was expected, in widths, is another face. */
const FARTHEST = 2;
/** So is one that is so many times larger or smaller. */
const MOST_RESIZED = 1.8;

/**
 * Which find is which expected face: nearest pairs first, each at most once.
 *
 * @returns finds by the index of the expected place
 */
export function assign<Found extends Place>(
  expected: readonly Place[],
  finds: readonly Found[],
): Map<number, Found> {
  const pairs = expected
    .flatMap((place, n) => finds.map((find) => ({ n, find, cost: costOf(place, find) })))
    .filter(({ cost }) => cost <= FARTHEST)
    .sort((a, b) => a.cost - b.cost);
  const assigned = new Map<number, Found>();
  const taken = new Set<Found>();
  for (const { n, find } of pairs) {
    if (assigned.has(n) || taken.has(find)) continue;
    assigned.set(n, find);
    taken.add(find);
  }
  return assigned;
}

function costOf(place: Place, find: Place): number {
  const ratio = find.width / place.width;
  if (ratio > MOST_RESIZED || ratio < 1 / MOST_RESIZED) return Infinity;
  return (2 * distance(place, find)) / (place.width + find.width);
}
