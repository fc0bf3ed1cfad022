import type { Plane } from '../i420.js';
import type { Depth, FaceFinder, Find } from './face-finder.js';
import { MAX_FACES, type Knowledge } from './knowledge.js';
import { changedParts, looksOf } from './looks.js';
import type { Pace } from './pace.js';
import { isMiddleWithin } from './place.js';
import { isAmong, Pursuit } from './pursuit.js';
import { seenAfter, seenBefore, seenBetween, type Sighting } from './sighting.js';
import { expectedIn, type Track } from './track.js';
import { possibleFaces } from './unsearched.js';

/** Frames that follow each other; the last of them is searched. */
export interface Run {
  /** Number of the first frame within its session. */
  firstFrame: number;
  /** Luma planes. */
  pictures: readonly Plane[];
}

/** What is wanted of a search. */
export interface Wanted {
  pace: Pace;
  /** Whether no face may be seen, rather than all faces be found with little work. */
  hidden: boolean;
}

/** What a run shows, and what is known after it. */
export interface Found {
  known: Knowledge;
  /** One for each frame of the run. */
  sightings: Sighting[];
}

/** So many places that may be new faces are looked at closely. */
const MOST_CLOSE_LOOKS = 6;

/**
 * Searches the last frame of a run, as a whole or only near the faces that are known, and answers
 * where the faces of all its frames are. It changes nothing; a replica can go on from the knowledge of
 * another, which may be that of a later run.
 */
export async function searchRun(
  finder: FaceFinder,
  run: Run,
  known: Knowledge | undefined,
  wanted: Wanted,
): Promise<Found> {
  const picture = run.pictures.at(-1)!;
  const { width, height } = picture;
  const before = known?.width === width && known.height === height ? known : undefined;
  const frame = run.firstFrame + run.pictures.length - 1;
  const pursuit = new Pursuit(finder, picture, frame, before?.tracks ?? []);
  const looks = wanted.hidden ? looksOf(picture) : undefined;
  const due = depthOf(before, frame, run.pictures.length, wanted);
  // Of a picture whose looks are known, a quick search of what has changed shows as much, and more closely.
  let depth = looks && due === 'quick' ? undefined : due;
  let finds = depth ? await finder.findAll(picture, depth) : [];
  finds = pursuit.takeClear(finds);
  await pursuit.lookNear();
  const isLost = () => pursuit.lost.some((one) => one.sure && one.foundIn === before?.searched);
  if (!depth && looks) {
    const heads = pursuit.caught.map(({ was, now }) => seenBetween(was, now, frame));
    const parts = changedParts(looks, before!.looks!, heads, picture);
    if (parts.length > 0) finds = await finder.findIn(picture, parts);
  } else if (!depth && isLost()) {
    depth = 'quick';
    finds = await finder.findAll(picture, depth);
  }
  await pursuit.lookAmong(finds);
  if (wanted.hidden && depth !== 'thorough' && isLost()) {
    depth = 'thorough';
    finds = await finder.findAll(picture, depth);
    await pursuit.lookAmong(finds);
  }

  const entered: { now: Track; first: Track | undefined }[] = [];
  let nextId = before?.nextId ?? 0;
  for (const find of await newFaces(finder, picture, finds, pursuit, wanted.hidden))
    entered.push(
      await inFirstFrame(finder, run, { id: nextId++, ...find, dx: 0, dy: 0, foundIn: frame }),
    );
  const found = [...pursuit.caught, ...entered].map(({ now }) => now);
  const hold = wanted.hidden ? wanted.pace.holdHidden : wanted.pace.hold;
  const held = pursuit.lost.filter(
    (one) => Math.abs(frame - one.foundIn) <= hold && !isAmong(found, expectedIn(one, frame)),
  );

  const isWhole = depth ?? due;
  // What moved unseen for longer may have been anywhere before it was found.
  const isAfterGap = Math.abs(frame - (before?.searched ?? -1)) > run.pictures.length;
  const sightings = run.pictures.map((one, n) => {
    const at = run.firstFrame + n;
    const faces = [
      ...pursuit.caught.map(({ was, now }) => seenBetween(was, now, at)),
      ...entered.map(({ now, first }) =>
        first || at === frame ? seenBetween(first ?? now, now, at) : seenBefore(now, at),
      ),
      ...held.map((one) => seenAfter(one, at, picture, wanted.pace)),
    ];
    if (looks && isAfterGap) faces.push(...possibleFaces(one, faces, looks, nextId));
    return { searched: true, faces };
  });
  return {
    known: {
      ...{ width, height, nextId, searched: frame },
      searchedWhole: isWhole ? frame : before!.searchedWhole,
      searchedThoroughly: depth === 'thorough' ? frame : before!.searchedThoroughly,
      looks: looks && (isWhole ? looks : before!.looks),
      tracks: [
        ...found,
        ...held.filter((one) => isMiddleWithin(expectedIn(one, frame), picture)),
      ].slice(0, MAX_FACES),
    },
    sightings,
  };
}

/** How the whole picture is to be searched, or undefined where it is not its turn. */
function depthOf(
  before: Knowledge | undefined,
  frame: number,
  frames: number,
  { pace, hidden }: Wanted,
): Depth | undefined {
  if (!before || (hidden && !before.looks)) return 'thorough';
  // The next run's last frame would be too late.
  const isDue = (last: number, every: number) => Math.abs(frame - last) + frames > every;
  if (isDue(before.searchedThoroughly, pace.thoroughEvery)) return 'thorough';
  return isDue(before.searchedWhole, pace.wholeEvery) ? 'quick' : undefined;
}

/** Of the places that a whole search found, those that a close look finds to be faces, too. */
async function newFaces(
  finder: FaceFinder,
  picture: Plane,
  places: readonly Find[],
  known: Pursuit,
  hidden: boolean,
): Promise<Find[]> {
  const faces: Find[] = [];
  const isKnown = (place: Find) => known.isCaught(place) || isAmong(faces, place);
  const likeliest = [...places].sort((a, b) => b.score - a.score).slice(0, MOST_CLOSE_LOOKS);
  for (const place of likeliest) {
    if (isKnown(place)) continue;
    const close = await finder.findNear(picture, place);
    const face = close?.sure || !place.sure ? close : { ...place, sure: false };
    if (face && !isKnown(face) && (face.sure || hidden)) faces.push(face);
  }
  return faces;
}

/** A face that has just entered: where it was in the run's first frame tells how it moves. */
async function inFirstFrame(finder: FaceFinder, run: Run, now: Track) {
  const frames = now.foundIn - run.firstFrame;
  const find = frames > 0 ? await finder.findNear(run.pictures[0]!, now) : undefined;
  if (!find) return { now, first: undefined };
  const first: Track = { ...now, ...find, sure: now.sure, foundIn: run.firstFrame };
  const dx = (now.x + now.width / 2 - first.x - first.width / 2) / frames;
  const dy = (now.y + now.height / 2 - first.y - first.height / 2) / frames;
  return { now: { ...now, dx, dy }, first };
}
