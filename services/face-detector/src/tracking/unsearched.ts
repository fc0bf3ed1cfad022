import { headOf } from '../geometry/head.js';
import { longerSide } from '../geometry/rect.js';
import type { Plane } from '../i420.js';
import { partsOf } from './change-map.js';
import { extrapolate, type FrameFaces } from './frame-faces.js';
import type { SearchSchedule } from './search-schedule.js';
import { hasChanged, isCut, thumbnailOf } from './thumbnail.js';
import type { TrackerState } from './tracker-state.js';

/** Margin of a face in an unsearched frame, as a fraction of its size. */
const MARGIN = 0.32;
/** Growth of the margin with the square of the frames since a face was found: it may turn back. */
const MARGIN_TURNING_BACK = 0.065;

/**
 * The faces of an unsearched frame: the known ones with a margin, and all changed parts, in which a face
 * may have entered. In another scene nothing is known.
 */
export function unsearchedFaces(
  known: TrackerState | undefined,
  luma: Plane,
  frame: number,
  schedule: SearchSchedule,
): FrameFaces {
  const nothing = { searched: false, faces: undefined, unsearched: [] };
  if (known?.width !== luma.width || known.height !== luma.height) return nothing;
  if (Math.abs(frame - known.searchedFrame) > schedule.hold) return nothing;
  const thumbnail = thumbnailOf(luma);
  const then = { ...thumbnail, cells: known.thumbnail };
  if (isCut(then, thumbnail)) return nothing;
  const faces = known.tracks.map((track) => {
    const face = extrapolate(track, frame, known, schedule);
    const margin = MARGIN + MARGIN_TURNING_BACK * (frame - track.foundIn) ** 2;
    return { ...face, margin: face.margin + margin * longerSide(face) };
  });
  const unsearched = partsOf(thumbnail, luma, faces.map(headOf), (cell) =>
    hasChanged(thumbnail, then, cell),
  );
  return { searched: false, faces, unsearched };
}
