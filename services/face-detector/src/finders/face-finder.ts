import type { Rect } from '../geometry/rect.js';
import type { Sample } from './sample.js';

/**
 * What a finder takes for a face. The box goes from the hairline to the chin and from ear to ear,
 * whatever the finder's own convention is.
 */
export interface Detection extends Rect {
  /** The finder's confidence, 0 to 1. */
  score: number;
}

/** What the search must know of a finder to plan its looks. */
export interface FinderProfile {
  /** Whether it sees colours; if not, samples have only the luma plane. */
  colour: boolean;
  /** From this score on a detection surely is a face: it is outlined and listed. */
  faceScore: number;
  /** From this score on a detection of a close look surely is a face. */
  closeFaceScore: number;
  /** From this score on it is worth a close look, also where faces are only outlined. */
  candidateScore: number;
  /** From this score on it may be one: it is hidden where faces are hidden. */
  possibleScore: number;
  /** From this score on a detection at the place of a known face is that face. */
  trackedScore: number;
  /** Widest sample of a quick search of the whole picture, and of one for small faces, in pixels. */
  quickWidth: number;
  fullWidth: number;
  /** Whether it is worth the search to turn the picture. */
  turns: boolean;
  /** Height of a face in a close look, in pixels of the sample. */
  nearFace: number;
}

/**
 * Finds faces in a small picture. A finder keeps nothing from one sample to the next, and never has
 * two under way in parallel: callers wait for one before they begin another.
 */
export interface FaceFinder {
  readonly name: string;
  readonly profile: FinderProfile;
  /** Detections in pixels of the sample, from the least score that the profile names on. */
  detect(sample: Sample): Promise<Detection[]>;
}
