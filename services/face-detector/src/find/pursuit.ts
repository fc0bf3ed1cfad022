import type { Plane } from '../i420.js';
import { assign } from './assign.js';
import type { FaceFinder, Find, Place } from './face-finder.js';
import { enclosed, overlap } from './place.js';
import { expectedIn, followed, type Track } from './track.js';

/** So many known faces are looked for in one frame; where there are more they take turns. */
const MOST_NEAR_SEARCHES = 8;
/** Boxes that share more than this part of their union are one face. */
const SAME_FACE_OVERLAP = 0.3;
/** So are those of which one has more than this part of the other, unless it is many times as wide. */
const SAME_FACE_ENCLOSED = 0.7;
const SAME_FACE_MOST_WIDER = 2.5;

/** Looks for known faces in one frame, by one way after another, until each is found or given up. */
export class Pursuit {
  /** The faces that were found: as they were known, and as they are now. */
  readonly caught: { was: Track; now: Track }[] = [];
  /** Those that were not. */
  lost: readonly Track[];

  constructor(
    private readonly finder: FaceFinder,
    private readonly picture: Plane,
    private readonly frame: number,
    tracks: readonly Track[],
  ) {
    this.lost = [...tracks].sort((a, b) => a.foundIn - b.foundIn);
  }

  /** Takes those that a search of the whole picture shows clearly, and answers the finds that are left. */
  takeClear(finds: readonly Find[]): Find[] {
    const clear = finds.filter(({ sure }) => sure);
    const assigned = this.assign(clear);
    this.lost = this.lost.filter((track) => {
      const find = track.sure ? assigned.get(track) : undefined;
      return !find || !this.catch(track, find);
    });
    return finds.filter((find) => !this.isCaught(find));
  }

  /** Looks where they should be. */
  async lookNear(): Promise<void> {
    const later = this.lost.slice(MOST_NEAR_SEARCHES);
    // Whose place is the least sure must not take a face from those who were seen just now.
    const now = this.lost.slice(0, MOST_NEAR_SEARCHES).sort((a, b) => b.foundIn - a.foundIn);
    const lost: Track[] = [];
    for (const track of now) {
      const find = await this.finder.findNear(this.picture, expectedIn(track, this.frame));
      if (!find || !this.catch(track, find)) lost.push(track);
    }
    this.lost = [...lost, ...later];
  }

  /** Looks closely at what a search of the whole picture shows, however far from where they should be. */
  async lookAmong(finds: readonly Find[]): Promise<void> {
    const assigned = this.assign(finds.filter((find) => !this.isCaught(find)));
    const lost: Track[] = [];
    for (const track of this.lost) {
      const place = assigned.get(track);
      const find = place && (await this.finder.findNear(this.picture, place));
      const isLikely = find?.sure || (find && isAmong([expectedIn(track, this.frame)], find));
      if (!isLikely || !this.catch(track, find)) lost.push(track);
    }
    this.lost = lost;
  }

  /** Whether a place is that of a face that was found. */
  isCaught(place: Place): boolean {
    return isAmong(
      this.caught.map(({ now }) => now),
      place,
    );
  }

  private assign(finds: readonly Find[]): Map<Track, Find> {
    const expected = this.lost.map((track) => expectedIn(track, this.frame));
    const assigned = assign(expected, finds);
    return new Map([...assigned].map(([n, find]) => [this.lost[n]!, find]));
  }

  /** False where the face that was found is another one's. */
  private catch(track: Track, find: Find): boolean {
    if (this.isCaught(find)) return false;
    this.caught.push({ was: track, now: followed(track, find, this.frame) });
    return true;
  }
}

/** Whether a place is that of one of the faces. */
export function isAmong(faces: readonly Place[], place: Place): boolean {
  return faces.some((other) => {
    const ratio = other.width / place.width;
    const isAlike = Math.max(ratio, 1 / ratio) < SAME_FACE_MOST_WIDER;
    return (
      overlap(other, place) > SAME_FACE_OVERLAP ||
      (isAlike && enclosed(other, place) > SAME_FACE_ENCLOSED)
    );
  });
}
