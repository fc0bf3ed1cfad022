import type { Size } from '@facecast/shared/media/size';
import type { FaceFinder, FinderProfile } from '../finders/face-finder.js';
import { isSameFace } from '../finders/non-maximum-suppression.js';
import type { Turn } from '../finders/sample.js';
import { headOf } from '../geometry/head.js';
import { longerSide } from '../geometry/rect.js';
import type { I420Frame } from '../i420.js';
import { associate, type MatchedTrack } from './associate.js';
import { ChangeMap } from './change-map.js';
import { execute } from './execute.js';
import {
  planChecks,
  planRun,
  planScene,
  planSecondRound,
  type ExpectedTrack,
  type Situation,
} from './plan.js';
import type { SearchSchedule } from './search-schedule.js';
import type { Thumbnail } from './thumbnail.js';
import { begun, expectedIn, isBetter, isSure, type LookedDetection, type Track } from './track.js';
import type { TrackerState } from './tracker-state.js';
import { viewOfTurn } from './views.js';

/** A frame, its number within its session, and its thumbnail. */
export interface NumberedFrame {
  frame: I420Frame;
  number: number;
  thumbnail: Thumbnail;
}

/** Options of a search. */
export interface SearchOptions {
  schedule: SearchSchedule;
  /** Whether no face may be seen, rather than faces be found with little work. */
  hiding: boolean;
}

/** Known faces that were found, known faces that were not, and new faces. */
export interface FoundFaces {
  /** Known faces whose place has not changed. */
  still: Track[];
  matched: MatchedTrack[];
  missed: ExpectedTrack[];
  entered: Track[];
  nextId: number;
  changes: ChangeMap;
}

/**
 * Searches one frame: plans its looks from the known faces, takes them, and merges the detections; then a
 * second round for faces that were missed or are doubtful.
 *
 * @param isNewScene whether known faces are uncertain
 */
export async function searchFrame(
  finder: FaceFinder,
  { frame, number, thumbnail }: NumberedFrame,
  known: TrackerState | undefined,
  isNewScene: boolean,
  { schedule, hiding }: SearchOptions,
): Promise<FoundFaces> {
  const { profile } = finder;
  const picture = sizeOf(frame);
  const changes =
    known && !isNewScene
      ? new ChangeMap(thumbnail, picture, known.reference, known.pending)
      : ChangeMap.unseen(thumbnail, picture);
  changes.observe(thumbnail);
  const expected = (known?.tracks ?? []).map((track) => ({
    track,
    box: expectedIn(track, number),
  }));
  const isStill = ({ track }: ExpectedTrack) =>
    !isNewScene && track.foundIn === known?.searchedFrame && !changes.hasMoved(track);
  const moved = expected.filter((one) => !isStill(one));
  const unmoved = expected
    .filter(isStill)
    .map(({ track }) => ({ ...track, dx: 0, dy: 0, foundIn: number }));
  // A doubtful detection may be the ear of a lying face: only a certain one needs no other look.
  const covered = [
    ...unmoved.filter(({ sure }) => sure),
    ...moved.filter(({ track }) => track.sure).map(({ box }) => box),
  ].map((box) => headOf({ ...box, margin: 0 }));
  const situation: Situation = {
    ...{ picture, frame: number, profile, schedule, hiding, changes, moved, covered },
    lying: lyingOf(known?.tracks ?? []),
  };

  const looks = isNewScene ? planScene(picture, profile) : planRun(situation);
  const all = await execute(finder, frame, looks);
  const better = seenBetter(unmoved, all, number, profile);
  const asBefore = unmoved.filter((track) => !better.some(({ was }) => was === track));
  const inPlace = [...asBefore, ...better.map(({ now }) => now)];
  const seen = all.filter((one) => !inPlace.some((face) => isSameFace(face, one)));
  const first = associate(moved, seen, number, profile, isNewScene);
  const found = [...first.matched, ...better];
  const settled = [...asBefore, ...found.map(({ now }) => now)];
  const entering = newTracks(first.left, settled, known?.nextId ?? 0, number, finder, hiding);

  const missedLooks = isNewScene ? [] : planSecondRound(situation, first.missed, looks);
  const doubtful = [...settled, ...entering].filter(isUnchecked);
  const checks = planChecks(situation, doubtful, missedLooks);
  const close = await execute(finder, frame, [...missedLooks, ...checks]);
  const ofMissed = close.filter((one) => !settled.some((face) => isSameFace(face, one)));
  const second = associate(first.missed, ofMissed, number, profile, isNewScene);
  const late = newTracks(
    second.left.filter(({ close }) => !close),
    entering,
    (known?.nextId ?? 0) + entering.length,
    number,
    finder,
    hiding,
  );
  const check = (track: Track) =>
    doubtful.indexOf(track) in checks ? checkedBy(track, close, profile) : track;
  const matched = [...found.map(({ was, now }) => ({ was, now: check(now) })), ...second.matched];
  const isWanted = (track: Track) => hiding || track.sure || !track.checked;
  const still = asBefore.map(check).filter(isWanted);
  const entered = [...entering.map(check), ...late].filter(isWanted);

  for (const { view, region } of [...looks, ...missedLooks]) {
    if (view) changes.seen(view, region);
    if (view === 'full') changes.seen('quick', region);
    if (view === 'lying') changes.seen(viewOfTurn(situation.lying), region);
  }
  for (const { now } of matched) changes.found(now);
  for (const track of entered) changes.found(track);
  const nextId = (known?.nextId ?? 0) + entering.length + late.length;
  return { still, matched, missed: second.missed, entered, nextId, changes };
}

/**
 * Unmoved faces that another view has detected better: a part of a lying face may look like a small upright
 * one.
 */
function seenBetter(
  unmoved: readonly Track[],
  detections: readonly LookedDetection[],
  frame: number,
  profile: FinderProfile,
): MatchedTrack[] {
  return unmoved.flatMap((was) => {
    const one = detections.find(
      (found) =>
        isBetter(found, was) && longerSide(found) > longerSide(was) && isSameFace(was, found),
    );
    return one ? [{ was, now: begun(one, was.id, frame, was.sure || isSure(one, profile)) }] : [];
  });
}

/** Tracks of detections without a known face; of doubtful ones, too, if faces are hidden. */
function newTracks(
  detections: readonly LookedDetection[],
  known: readonly Track[],
  nextId: number,
  frame: number,
  { profile }: FaceFinder,
  hiding: boolean,
): Track[] {
  const minScore = hiding ? profile.possibleScore : profile.candidateScore;
  const tracks: Track[] = [];
  for (const one of detections) {
    const isKnown = [...known, ...tracks].some((face) => isSameFace(face, one));
    if (!isKnown && one.score >= minScore)
      tracks.push(begun(one, nextId + tracks.length, frame, isSure(one, profile)));
  }
  return tracks;
}

function isUnchecked({ sure, checked }: Track): boolean {
  return !sure && !checked;
}

/** Turn of most of the certain faces that are not upright; 0 if there are none. */
function lyingOf(tracks: readonly Track[]): Turn {
  const counts = { 0: 0, 90: 0, 180: 0, 270: 0 };
  for (const { sure, turn } of tracks) if (sure && turn !== 0) counts[turn]++;
  const turns = [90, 180, 270] as const;
  return turns.reduce<Turn>((most, turn) => (counts[turn] > counts[most] ? turn : most), 0);
}

/** A track after a close look at it, which tells whether it is certainly a face. */
function checkedBy(
  track: Track,
  detections: readonly LookedDetection[],
  profile: FinderProfile,
): Track {
  const sure = detections.some((one) => isSure(one, profile) && isSameFace(one, track));
  return { ...track, sure, checked: true };
}

/** Width and height of a frame in pixels. */
export function sizeOf({ y: { width, height } }: I420Frame): Size {
  return { width, height };
}
