import type { FinderProfile } from '../finders/face-finder.js';
import { isSameFace } from '../finders/non-maximum-suppression.js';
import { iou } from '../geometry/rect.js';
import { matchGreedily } from './greedy-match.js';
import type { ExpectedTrack } from './plan.js';
import { isSure, updated, type Track, type LookedDetection } from './track.js';

/** A track that was matched: as it was expected, and the detection. */
export interface MatchedTrack {
  was: Track;
  now: Track;
}

/** The outcome of matching detections with known faces. */
export interface Association {
  matched: MatchedTrack[];
  /** Known faces without a detection. */
  missed: ExpectedTrack[];
  /** Detections without a known face. */
  left: LookedDetection[];
}

/** Minimum IoU of a low-score detection and the known face that it is matched with. */
const MIN_IOU = 0.3;

/**
 * Matches detections with known faces, after ByteTrack (Zhang et al. 2022): first those with a high score,
 * then the others, which continue tracks but begin none.
 *
 * @param isNewScene whether the faces may be others, at the same places by chance
 */
export function associate(
  expected: readonly ExpectedTrack[],
  detections: readonly LookedDetection[],
  frame: number,
  profile: FinderProfile,
  isNewScene = false,
): Association {
  const { possibleScore } = profile;
  const strong = detections.filter(({ score }) => score >= possibleScore);
  const matched: MatchedTrack[] = [];
  const match = (candidates: readonly ExpectedTrack[], found: readonly LookedDetection[]) => {
    const pairs = matchGreedily(
      candidates.map(({ box }) => box),
      found,
    );
    return candidates.filter(({ track, box }, n) => {
      const one = pairs.get(n);
      const mustOverlap = isNewScene || (one && one.score < possibleScore);
      if (!one || (mustOverlap && iou(one, box) < MIN_IOU)) return true;
      const sure = isSure(one, profile);
      const now = updated(track, one, frame, sure);
      matched.push({ was: track, now: isNewScene ? { ...now, sure } : now });
      return false;
    });
  };
  // Tracks whose place is less certain must not take a detection from those that were found just now.
  const newest = Math.max(...expected.map(({ track }) => track.foundIn));
  const recent = match(
    expected.filter(({ track }) => track.foundIn === newest),
    strong,
  );
  const older = match(
    expected.filter(({ track }) => track.foundIn !== newest),
    strong.filter((one) => !isOf(matched, one)),
  );
  const unmatched = [...recent, ...older];
  const weak = detections.filter((one) => one.score < possibleScore && !isOf(matched, one));
  const missed = match(unmatched, weak);
  return { matched, missed, left: strong.filter((one) => !isOf(matched, one)) };
}

function isOf(matched: readonly MatchedTrack[], detection: LookedDetection): boolean {
  return matched.some(({ now }) => isSameFace(now, detection));
}
