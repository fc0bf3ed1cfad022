import type { FaceFinder } from '../finders/face-finder.js';
import { isSameFace } from '../finders/non-maximum-suppression.js';
import { contains, headOf } from '../geometry/head.js';
import { clip } from '../geometry/rect.js';
import { partsOf } from './change-map.js';
import { execute } from './execute.js';
import {
  backcast,
  extrapolate,
  foundOnce,
  interpolate,
  wayBetween,
  type FrameFace,
  type FrameFaces,
} from './frame-faces.js';
import { planParts } from './plan.js';
import {
  searchFrame,
  sizeOf,
  type FoundFaces,
  type NumberedFrame,
  type SearchOptions,
} from './search-frame.js';
import { isOddOneOut } from './thumbnail.js';
import { expectedIn, type Track } from './track.js';
import { MAX_TRACKS, type TrackerState } from './tracker-state.js';

/** The faces of some frames, and the tracks after them. */
export interface SceneFaces {
  state: TrackerState;
  /** One for each frame. */
  frames: FrameFaces[];
}

/** Number of runs after a cut for which unmatched faces of the scene before stay covered. */
const HOLD_AFTER_CUT_RUNS = 2;

/**
 * Searches the last one of some consecutive frames of one scene, and merges its detections with the known
 * faces. If faces are hidden, the frames before it are searched in parts that neither searched neighbour
 * shows.
 *
 * @param isNewScene whether known faces are uncertain; then there is only one frame
 */
export async function searchScene(
  finder: FaceFinder,
  frames: readonly NumberedFrame[],
  known: TrackerState | undefined,
  isNewScene: boolean,
  wanted: SearchOptions,
): Promise<SceneFaces> {
  const last = frames.at(-1)!;
  const found = await searchFrame(finder, last, known, isNewScene, wanted);
  const held = heldTracks(found, last, isNewScene, wanted);
  const faces: FrameFaces[] = [];
  for (const one of frames) {
    const seen = facesIn(one.number, last, found, held, wanted);
    if (wanted.hiding && one !== last && known)
      seen.push(...(await searchBetween(finder, one, known, last, seen)));
    faces.push({ searched: true, faces: seen, unsearched: [] });
  }
  return { state: stateAfter(last, found, held, wanted), frames: faces };
}

/** Known faces that were not found and are still held. */
function heldTracks(
  { matched, entered, missed }: FoundFaces,
  { number }: NumberedFrame,
  isNewScene: boolean,
  { hiding, schedule }: SearchOptions,
): Track[] {
  const afterCut = hiding ? HOLD_AFTER_CUT_RUNS * schedule.run : 0;
  const holdOf = ({ sure }: Track) =>
    isNewScene ? afterCut : hiding && sure ? schedule.holdHidden : schedule.hold;
  const found = [...matched.map(({ now }) => now), ...entered];
  return missed
    .filter(
      ({ track, box }) =>
        (hiding || track.sure) &&
        Math.abs(number - track.foundIn) <= holdOf(track) &&
        !found.some((face) => isSameFace(face, box)),
    )
    .map(({ track }) => (isNewScene ? { ...track, sure: false, dx: 0, dy: 0 } : track));
}

function facesIn(
  number: number,
  last: NumberedFrame,
  { still, matched, entered }: FoundFaces,
  held: readonly Track[],
  { hiding, schedule }: SearchOptions,
): FrameFace[] {
  const isLast = number === last.number;
  return [
    ...still.map((track) => interpolate(track, track, number)),
    ...matched.map(({ was, now }) => interpolate(was, now, number)),
    ...(hiding && !isLast ? matched.flatMap(({ was, now }) => wayBetween(was, now)) : []),
    ...entered.map((track) =>
      isLast ? interpolate(track, track, number) : backcast(track, number),
    ),
    ...held.map((track) => extrapolate(track, number, sizeOf(last.frame), schedule)),
  ];
}

/** Searches a frame for uncovered faces, in parts that neither of its searched neighbours shows. */
async function searchBetween(
  finder: FaceFinder,
  { frame, thumbnail }: NumberedFrame,
  before: TrackerState,
  after: NumberedFrame,
  seen: readonly FrameFace[],
): Promise<FrameFace[]> {
  const then = { ...thumbnail, cells: before.thumbnail };
  const covered = seen.map(headOf);
  const parts = partsOf(thumbnail, sizeOf(frame), covered, (cell) =>
    isOddOneOut(thumbnail, then, after.thumbnail, cell),
  );
  const looks = planParts('quick', parts, sizeOf(frame), finder.profile);
  const detections = await execute(finder, frame, looks);
  return detections
    .filter(({ score }) => score >= finder.profile.possibleScore)
    .filter((one) => !covered.some((head) => contains(head, one)))
    .map(foundOnce);
}

function stateAfter(
  { frame, number, thumbnail }: NumberedFrame,
  { still, matched, entered, nextId, changes }: FoundFaces,
  held: readonly Track[],
  { hiding }: SearchOptions,
): TrackerState {
  const picture = sizeOf(frame);
  const staying = held.filter((track) => clip(expectedIn(track, number), picture));
  const tracks = [...still, ...matched.map(({ now }) => now), ...entered, ...staying];
  return {
    ...picture,
    ...{ searchedFrame: number, searchedForHiding: hiding, nextId },
    thumbnail: thumbnail.cells,
    ...changes.state,
    tracks: tracks.slice(0, MAX_TRACKS),
  };
}
