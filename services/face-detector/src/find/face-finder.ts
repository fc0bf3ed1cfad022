import type { Face } from '@facecast/shared/messages';
import type { Plane } from '../i420.js';

/**
 * Finds faces in the luma plane of a picture. All coordinates are pixels of that plane.
 *
 * A finder keeps nothing from one picture to the next, and never has two searches under way in
 * parallel: callers wait for one before they begin another.
 */
export interface FaceFinder {
  /** Searches the whole picture; all faces that it is sure of, but those of `known`. */
  findOthers(picture: Plane, known: readonly Face[]): Promise<Face[]>;
  /**
   * The face that was at `known` a few frames ago, or undefined where it is not near that place at
   * about that size any more. Far cheaper than a search of the whole picture.
   */
  findNear(picture: Plane, known: Face): Promise<Face | undefined>;
}
