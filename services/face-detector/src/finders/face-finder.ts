import type { Rect } from '../geometry/rect.js';
import type { Sample } from './sample.js';

/** What a finder takes for a face. The box always goes from the hairline to the chin and from ear to ear. */
export interface Detection extends Rect {
  /** The finder's confidence, 0 to 1. */
  score: number;
}

/** Properties of a finder that the search needs to plan its looks. */
export interface FinderProfile {
  /** Whether it sees colours; if not, samples have only the luma plane. */
  colour: boolean;
  /** From this score on a detection is certainly a face: it is outlined and listed. */
  faceScore: number;
  /** From this score on a detection of a close look is certainly a face. */
  closeFaceScore: number;
  /** From this score on a detection gets a close look, even if faces are only outlined. */
  candidateScore: number;
  /** From this score on a detection may be a face: it is covered if faces are hidden. */
  possibleScore: number;
  /** From this score on a detection at the place of a known face is that face. */
  trackedScore: number;
  /** Widest sample of a quick search of the whole picture, and of one for small faces, in pixels. */
  quickWidth: number;
  fullWidth: number;
  /** Whether the picture is also searched turned. */
  turns: boolean;
  /** Height of a face in a close look, in pixels of the sample. */
  nearFace: number;
}

/**
 * Finds faces in a small picture. A finder keeps no state from one sample to the next. Callers wait for one
 * search before they begin another.
 */
export interface FaceFinder {
  readonly name: string;
  readonly profile: FinderProfile;
  /** Detections in pixels of the sample, from the lowest score in the profile on. */
  detect(sample: Sample): Promise<Detection[]>;
}
