import type { Size } from '@facecast/shared/media/size';
import type { FinderProfile } from '../finders/face-finder.js';
import { cheapScale, pixelsOf, type Look, type Turn } from '../finders/sample.js';
import type { Ellipse } from '../geometry/area.js';
import { inflate, longerSide, wholeOf, type Rect } from '../geometry/rect.js';
import type { ChangeMap } from './change-map.js';
import { isDue, type SearchSchedule } from './search-schedule.js';
import type { Track } from './track.js';
import { coarseScale, scaleOf, turnOf, viewOfTurn, type View } from './views.js';

/** A look, and the view that it belongs to. */
export interface PlannedLook extends Look {
  /** The view that has then searched the region; absent if the look is only for a known face. */
  view?: View;
}

/** A known face, and its expected place. */
export interface ExpectedTrack {
  track: Track;
  box: Rect;
}

/** Input of a plan. */
export interface Situation {
  picture: Size;
  /** Number of the frame that is to be searched. */
  frame: number;
  profile: FinderProfile;
  schedule: SearchSchedule;
  /** Whether faces are hidden, and so searched thoroughly. */
  hiding: boolean;
  changes: ChangeMap;
  /** Turn of most of the known faces that are not upright; 0 if there are none. */
  lying: Turn;
  /** Known faces whose place has changed since they were found. */
  moved: readonly ExpectedTrack[];
  /** Areas that need not be searched for new faces. */
  covered: readonly Ellipse[];
}

/** A close look shows this many times the height of the face. */
const NEAR_REGION = 2.4;
/** Largest face that a quick sample shows as well as a close look, in pixels of the sample. */
const MAX_QUICK_FACE = 160;
/** Fixed cost of a look, in pixels of the finder. */
const LOOK_PIXELS = 4_000;
/** Maximum number of pixels of the close looks at faces that a search of the whole picture missed. */
const MAX_SECOND_PIXELS = 100_000;
/** The order in which the views take turns. */
const VIEW_ORDER: readonly View[] = ['full', 'left', 'full', 'right', 'coarse', 'down', 'lying'];

/** Plans the search of a new scene: the whole picture, for small faces and for huge ones. */
export function planScene(picture: Size, profile: FinderProfile): PlannedLook[] {
  return (['full', 'coarse'] as const).map((view) => wholeLook(view, picture, profile));
}

/**
 * Plans the looks for known and new faces: close looks and looks at changed parts, or one at the whole
 * picture if that costs less.
 */
export function planRun(situation: Situation): PlannedLook[] {
  const { picture, frame, profile, schedule, hiding, moved } = situation;
  const near = (tracks: readonly ExpectedTrack[]) =>
    tracks.map(({ track, box }) => nearLook(box, track.turn, profile, picture));
  const isForNew = hiding || isDue(frame, schedule.quickEvery, schedule);
  const parts = isForNew ? partLooks('quick', situation) : [];
  const whole = wholeLook('quick', picture, profile);
  const isHuge = ({ box }: ExpectedTrack) => longerSide(box) * whole.scale > MAX_QUICK_FACE;
  const forWhole = [whole, ...near(moved.filter(isHuge))];
  const forParts = [...near(moved), ...parts];
  const cheaper = costOf(forWhole) < costOf(forParts) ? forWhole : forParts;
  return [...cheaper, ...planView(situation)];
}

/**
 * Plans close looks for the faces that were not found, in several turns, as far as the cost allows; and one
 * at changed parts, if a face that was found just before may have moved far.
 */
export function planSecondRound(
  situation: Situation,
  missed: readonly ExpectedTrack[],
  taken: readonly PlannedLook[],
): PlannedLook[] {
  const { picture, frame, profile, schedule } = situation;
  const isLost = missed.some(
    ({ track }) => track.sure && Math.abs(frame - track.foundIn) <= schedule.run,
  );
  const wasSearched = taken.some(({ view }) => view === 'quick');
  const looks = isLost && !wasSearched ? partLooks('quick', situation) : [];
  const longestMissed = [...missed].sort((a, b) => a.track.foundIn - b.track.foundIn);
  for (const { track, box } of longestMissed) {
    const misses = Math.abs(Math.round((frame - track.foundIn) / schedule.run));
    // For a face that is not certain, one close look is enough.
    if (!track.sure && misses > 1) continue;
    const quarters = profile.turns ? [0, 1, 3][misses % 3]! : 0;
    const turn = ((track.turn + 90 * quarters) % 360) as Turn;
    looks.push(nearLook(box, turn, profile, picture));
    if (costOf(looks) > MAX_SECOND_PIXELS) return looks.slice(0, -1);
  }
  return looks;
}

/** Plans close looks that tell which doubtful detections are faces, as far as the cost allows. */
export function planChecks(
  { picture, profile }: Situation,
  doubtful: readonly Track[],
  beside: readonly PlannedLook[],
): PlannedLook[] {
  const looks: PlannedLook[] = [];
  for (const track of doubtful) {
    looks.push(nearLook(track, track.turn, profile, picture));
    if (costOf([...beside, ...looks]) > MAX_SECOND_PIXELS) return looks.slice(0, -1);
  }
  return looks;
}

/** Plans the looks of the view whose turn it is, or of the next one that has something to search. */
function planView(situation: Situation): PlannedLook[] {
  const { frame, profile, schedule, hiding, lying } = situation;
  const every = hiding ? schedule.viewEveryHidden : schedule.viewEvery;
  if (!isDue(frame, every, schedule)) return [];
  const at = Math.floor(frame / every);
  // If a phone is turned, all of its faces are.
  const first = lying !== 0 && at % 2 === 0 ? [viewOfTurn(lying)] : [];
  const inOrder = VIEW_ORDER.map((_, n) => VIEW_ORDER[(at + n) % VIEW_ORDER.length]!);
  for (const view of [...first, ...inOrder]) {
    if (view === 'lying' && lying === 0) continue;
    if (turnOf(view, lying) !== 0 && !profile.turns) continue;
    const looks = partLooks(view, situation);
    if (looks.length > 0) return looks;
  }
  return [];
}

function partLooks(view: View, situation: Situation): PlannedLook[] {
  const { picture, profile, changes, covered, lying } = situation;
  return planParts(view, changes.parts(view, covered), picture, profile, lying);
}

/** Plans looks at parts of a picture in a view, or one at the whole picture if that costs less. */
export function planParts(
  view: View,
  parts: readonly Rect[],
  picture: Size,
  profile: FinderProfile,
  lying: Turn = 0,
): PlannedLook[] {
  if (parts.length === 0) return [];
  const whole = wholeLook(view, picture, profile, lying);
  const looks = parts.map((region) => ({ ...whole, region }));
  return view === 'coarse' || costOf(looks) >= costOf([whole]) ? [whole] : looks;
}

/** A look around a box, at the scale at which the finder works best for a face of this size. */
function nearLook(box: Rect, turn: Turn, profile: FinderProfile, picture: Size): PlannedLook {
  const size = longerSide(box);
  const scale = Math.max(cheapScale(profile.nearFace / size), coarseScale(picture));
  return { region: inflate(box, ((NEAR_REGION - 1) / 2) * size), scale, turn };
}

function wholeLook(
  view: View,
  picture: Size,
  profile: FinderProfile,
  lying: Turn = 0,
): PlannedLook {
  const scale = scaleOf(view, profile, picture);
  return { region: wholeOf(picture), scale, turn: turnOf(view, lying), view };
}

function costOf(looks: readonly Look[]): number {
  return looks.reduce((sum, look) => sum + pixelsOf(look) + LOOK_PIXELS, 0);
}
