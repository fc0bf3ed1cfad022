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

/** A face that was not known: where it is, and where it was in the run's first frame if that is known. */
interface Entered {
  now: Track;
  first: Track | undefined;
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
  const search = new RunSearch(finder, run, known, wanted);
  await search.lookForKnown();
  await search.lookForNew();
  return search.found();
}

class RunSearch {
  private readonly picture: Plane;
  /** Number of the picture within its session. */
  private readonly frame: number;
  private readonly before: Knowledge | undefined;
  private readonly pursuit: Pursuit;
  /** Of the picture, where they are compared with those before. */
  private readonly looks: string | undefined;
  private readonly due: Depth | undefined;
  /** How the whole picture was searched, if it was. */
  private depth: Depth | undefined;
  /** What that shows, or a search of what has changed. */
  private finds: Find[] = [];
  private readonly entered: Entered[] = [];
  private nextId: number;

  constructor(
    private readonly finder: FaceFinder,
    private readonly run: Run,
    known: Knowledge | undefined,
    private readonly wanted: Wanted,
  ) {
    const { pictures, firstFrame } = run;
    const picture = (this.picture = pictures.at(-1)!);
    const isOfSize = known?.width === picture.width && known.height === picture.height;
    const before = (this.before = isOfSize ? known : undefined);
    this.frame = firstFrame + pictures.length - 1;
    this.nextId = before?.nextId ?? 0;
    this.pursuit = new Pursuit(finder, picture, this.frame, before?.tracks ?? []);
    this.due = depthOf(before, this.frame, pictures.length, wanted);
    if (wanted.hidden || this.due === 'thorough') this.looks = looksOf(picture);
  }

  /** Looks for the known faces, further and further until each is found or given up. */
  async lookForKnown(): Promise<void> {
    const { before, pursuit, looks, due, wanted } = this;
    // What has not changed since it was searched shows no more than it did.
    const isCompared = wanted.hidden ? due !== 'thorough' : due === 'thorough';
    const searched = isCompared ? before?.looks : undefined;
    if (due && !searched) await this.searchWhole(due);
    this.finds = pursuit.takeClear(this.finds);
    await pursuit.lookNear();
    if (looks && searched) await this.searchChanged(looks, searched);
    else if (!this.depth && this.hasLost) await this.searchWhole('quick');
    await pursuit.lookAmong(this.finds);
    if (wanted.hidden && this.depth !== 'thorough' && this.hasLost) {
      await this.searchWhole('thorough');
      await pursuit.lookAmong(this.finds);
    }
  }

  /** Takes the places that a close look finds to be faces, too, for faces that have entered. */
  async lookForNew(): Promise<void> {
    const { finder, picture, frame, finds, pursuit, wanted } = this;
    for (const find of await newFaces(finder, picture, finds, pursuit, wanted.hidden)) {
      const now: Track = { id: this.nextId++, ...find, dx: 0, dy: 0, foundIn: frame };
      this.entered.push(await inFirstFrame(finder, this.run, now));
    }
  }

  found(): Found {
    const { frame, before, due, depth, looks, nextId, picture, pursuit } = this;
    const { width, height } = picture;
    const faces = [...pursuit.caught, ...this.entered].map(({ now }) => now);
    const held = this.held(faces);
    const isWhole = depth ?? due;
    return {
      known: {
        ...{ width, height, nextId, searched: frame, hidden: this.wanted.hidden },
        searchedWhole: isWhole ? frame : before!.searchedWhole,
        searchedThoroughly: depth === 'thorough' ? frame : before!.searchedThoroughly,
        looks: isWhole && looks ? looks : before!.looks,
        tracks: [
          ...faces,
          ...held.filter((one) => isMiddleWithin(expectedIn(one, frame), picture)),
        ].slice(0, MAX_FACES),
      },
      sightings: this.run.pictures.map((_, n) => this.sighting(n, held)),
    };
  }

  /** Whether a face that surely was there when somebody last looked is not found. */
  private get hasLost(): boolean {
    const { before, pursuit } = this;
    return pursuit.lost.some((one) => one.sure && one.foundIn === before?.searched);
  }

  private async searchWhole(depth: Depth): Promise<void> {
    this.depth = depth;
    this.finds = await this.finder.findAll(this.picture, depth);
  }

  /** Searches what has changed since the picture had these looks, for a search of all of it. */
  private async searchChanged(looks: string, searched: string): Promise<void> {
    const { picture, frame, pursuit, due } = this;
    const heads = pursuit.caught.map(({ was, now }) => seenBetween(was, now, frame));
    const parts = changedParts(looks, searched, heads, picture);
    if (parts.length > 0) this.finds = await this.finder.findIn(picture, parts, due ?? 'quick');
    if (due === 'thorough') this.depth = due;
  }

  /** Known faces that were not found and are not given up yet. */
  private held(found: readonly Track[]): Track[] {
    const { frame, pursuit, wanted } = this;
    const hold = wanted.hidden ? wanted.pace.holdHidden : wanted.pace.hold;
    return pursuit.lost.filter(
      (one) => Math.abs(frame - one.foundIn) <= hold && !isAmong(found, expectedIn(one, frame)),
    );
  }

  /** @param n of the run's frames */
  private sighting(n: number, held: readonly Track[]): Sighting {
    const { run, frame, before, picture, pursuit, looks } = this;
    const at = run.firstFrame + n;
    const faces = [
      ...pursuit.caught.map(({ was, now }) => seenBetween(was, now, at)),
      ...this.entered.map(({ now, first }) =>
        first || at === frame ? seenBetween(first ?? now, now, at) : seenBefore(now, at),
      ),
      ...held.map((one) => seenAfter(one, at, picture, this.wanted.pace)),
    ];
    // What moved unseen for longer may have been anywhere before it was found.
    const isAfterGap = Math.abs(frame - (before?.searched ?? -1)) > run.pictures.length;
    if (looks && this.wanted.hidden && isAfterGap)
      faces.push(...possibleFaces(run.pictures[n]!, faces, looks, this.nextId));
    return { searched: true, faces };
  }
}

/** How the whole picture is to be searched, or undefined where it is not its turn. */
function depthOf(
  before: Knowledge | undefined,
  frame: number,
  frames: number,
  { pace, hidden }: Wanted,
): Depth | undefined {
  if (!before || (hidden && !before.hidden)) return 'thorough';
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

/** Where a face that has just entered was in the run's first frame tells how it moves. */
async function inFirstFrame(finder: FaceFinder, run: Run, now: Track): Promise<Entered> {
  const frames = now.foundIn - run.firstFrame;
  const find = frames > 0 ? await finder.findNear(run.pictures[0]!, now) : undefined;
  if (!find) return { now, first: undefined };
  const first: Track = { ...now, ...find, sure: now.sure, foundIn: run.firstFrame };
  const dx = (now.x + now.width / 2 - first.x - first.width / 2) / frames;
  const dy = (now.y + now.height / 2 - first.y - first.height / 2) / frames;
  return { now: { ...now, dx, dy }, first };
}
