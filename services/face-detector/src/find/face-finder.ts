import type { Plane } from '../i420.js';

/** A box in pixels of a picture, its origin at the top left; it may reach beyond the picture. */
export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A place that a finder takes for a face. */
export interface Find extends Place {
  /** The finder's confidence, 0 to 1. */
  score: number;
  /** False where it may well be something else: to be hidden, but not to be called a face. */
  sure: boolean;
}

/**
 * How closely a whole picture is looked at: `quick` finds the faces that matter in half of the time,
 * `thorough` the small ones too.
 */
export type Depth = 'quick' | 'thorough';

/**
 * Finds faces in the luma plane of a picture. All coordinates are pixels of that plane.
 *
 * A finder keeps nothing from one picture to the next, and never has two searches under way in
 * parallel: callers wait for one before they begin another.
 */
export interface FaceFinder {
  /** Searches the whole picture. */
  findAll(picture: Plane, depth: Depth): Promise<Find[]>;
  /**
   * Searches parts of the picture: `thorough` as closely as such a search of all of it would, `quick` with
   * no more work than such a search of all of it, and small faces too where the parts are small.
   */
  findIn(picture: Plane, parts: readonly Place[], depth: Depth): Promise<Find[]>;
  /**
   * The face that should be at `expected`, or undefined where it is not near that place at about that
   * size. Far cheaper than a search of the whole picture.
   */
  findNear(picture: Plane, expected: Place): Promise<Find | undefined>;
}
