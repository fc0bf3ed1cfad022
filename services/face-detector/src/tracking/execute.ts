import type { Size } from '@facecast/shared/media/size';
import type { FaceFinder } from '../finders/face-finder.js';
import { suppressNonMaxima } from '../finders/non-maximum-suppression.js';
import { takeSample } from '../finders/sample.js';
import { sharedArea, wholeOf, type Rect } from '../geometry/rect.js';
import type { I420Frame } from '../i420.js';
import type { PlannedLook } from './plan.js';
import type { LookedDetection } from './track.js';

/**
 * Minimum fraction of a box that must be in the picture: the border is mirrored, and so are faces beside
 * it.
 */
const MIN_VISIBLE = 0.2;

/**
 * If less than this fraction of a box is in the picture, it may be a face from half of the usual score on,
 * because a finder is less certain of it.
 */
const HALF_VISIBLE = 0.8;
const HALF_SCORE = 0.5;

/** Takes the looks one after another. Resolves to their detections in pixels of the frame, each face once. */
export async function execute(
  finder: FaceFinder,
  frame: I420Frame,
  looks: readonly PlannedLook[],
): Promise<LookedDetection[]> {
  const detections: LookedDetection[] = [];
  for (const look of looks) detections.push(...(await take(finder, frame, look)));
  return suppressNonMaxima(detections);
}

async function take(
  finder: FaceFinder,
  frame: I420Frame,
  look: PlannedLook,
): Promise<LookedDetection[]> {
  const { profile } = finder;
  const sample = takeSample(frame, look, profile.colour);
  if (!sample) return [];
  const { turn } = look;
  const close = look.view === undefined;
  return (await finder.detect(sample)).flatMap(({ score: given, ...rect }) => {
    const box = sample.toFrame(rect);
    const visible = visiblePart(box, frame.y);
    if (visible < MIN_VISIBLE) return [];
    const isHalf = visible < HALF_VISIBLE && given >= HALF_SCORE * profile.possibleScore;
    const score = isHalf ? Math.max(given, profile.possibleScore) : given;
    if (!isCutBy(look.region, box, frame.y)) return [{ ...box, score, turn, close }];
    // If the look shows a face only in part, neither its place nor its score is reliable.
    return close ? [] : [{ ...box, score: Math.min(score, profile.possibleScore), turn, close }];
  });
}

function visiblePart(box: Rect, picture: Size): number {
  return sharedArea(box, wholeOf(picture)) / (box.width * box.height);
}

/** Whether a region's border cuts a box at a place that is not the picture's border. */
function isCutBy(region: Rect, box: Rect, picture: Size): boolean {
  const right = region.x + region.width;
  const bottom = region.y + region.height;
  return (
    (region.x > 0 && box.x < region.x) ||
    (region.y > 0 && box.y < region.y) ||
    (right < picture.width && box.x + box.width > right) ||
    (bottom < picture.height && box.y + box.height > bottom)
  );
}
