import type { FinderProfile } from '../finders/face-finder.js';
import { cheapScale, pixelsOf, type Look, type Turn } from '../finders/sample.js';
import type { Ellipse } from '../geometry/area.js';
import { inflate, longerSide, wholeOf, type Rect, type Size } from '../geometry/rect.js';
import type { ChangeMap } from './change-map.js';
import { isDue, type SearchSchedule } from './search-schedule.js';
import type { Track } from './track.js';
import { coarseScale, scaleOf, turnOf, viewOfTurn, type View } from './views.js';

/** A look, and what is seen by it. */
export interface PlannedLook extends Look {
  /** The view that has seen the region then; none if the look was for a known face only. */
  view?: View;
}

/** A known face, and where it should be. */
export interface ExpectedTrack {
  track: Track;
  box: Rect;
}

/** What a plan is made from. */
export interface Situation {
  picture: Size;
  /** Number of the frame that is to be searched. */
  frame: number;
  profile: FinderProfile;
  schedule: SearchSchedule;
  /** Whether no face may be seen, rather than faces be found with little work. */
  hiding: boolean;
  changes: ChangeMap;
  /** How most of the known faces lie that are not upright; 0 if there are none. */
  lying: Turn;
  /** Known faces whose place shows something else than when they were found. */
  moved: readonly ExpectedTrack[];
  /** What need not be searched for new faces. */
  covered: readonly Ellipse[];
}

/** A close look shows this many times the height of the face. */
const NEAR_REGION = 2.4;
/** Larger faces are not found in a quick sample as they are in a close look, in pixels of it. */
const MAX_QUICK_FACE = 160;
/** Each look costs as much as this many pixels of the finder, however small it is. */
const LOOK_PIXELS = 4_000;
/** After a whole search, the faces that it missed get close looks of at most this many pixels. */
const MAX_SECOND_PIXELS = 100_000;
/** The views whose turn it is, one after another. */
const TURNS_OF_VIEWS: readonly View[] = [
  'full',
  'left',
  'full',
  'right',
  'coarse',
  'down',
  'lying',
];

/** A picture of which nothing is known is searched as a whole: for small faces, and for huge ones. */
export function planScene(picture: Size, profile: FinderProfile): PlannedLook[] {
  return (['full', 'coarse'] as const).map((view) => wholeLook(view, picture, profile));
}

/**
 * The looks for known and for new faces: close ones and those at what has changed, or one at the whole
 * picture as soon as that costs less.
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
 * Close looks for the faces that were not found, as many as are affordable, turned this and that way;
 * and one at what has changed, if a face that was there just now may have gone far.
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
    // Of what may have been none, one close look is enough.
    if (!track.sure && misses > 1) continue;
    const quarters = profile.turns ? [0, 1, 3][misses % 3]! : 0;
    const turn = ((track.turn + 90 * quarters) % 360) as Turn;
    looks.push(nearLook(box, turn, profile, picture));
    if (costOf(looks) > MAX_SECOND_PIXELS) return looks.slice(0, -1);
  }
  return looks;
}

/** Close looks that tell which of the doubtful are faces, as many as are affordable beside others. */
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

/** The look of the view whose turn it is, or of the next one that has something to see. */
function planView(situation: Situation): PlannedLook[] {
  const { frame, profile, schedule, hiding, lying } = situation;
  const every = hiding ? schedule.viewEveryHidden : schedule.viewEvery;
  if (!isDue(frame, every, schedule)) return [];
  const turn = Math.floor(frame / every);
  // Whose phone is turned sees everybody turned.
  const first = lying !== 0 && turn % 2 === 0 ? [viewOfTurn(lying)] : [];
  const inTurn = TURNS_OF_VIEWS.map((_, n) => TURNS_OF_VIEWS[(turn + n) % TURNS_OF_VIEWS.length]!);
  for (const view of [...first, ...inTurn]) {
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

/** Looks at parts of a picture in a view, or one at all of it if that costs less. */
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

/** A look at the surroundings of a box, in which a face of this size is as the finder likes it. */
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
