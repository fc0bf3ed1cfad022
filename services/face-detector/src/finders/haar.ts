import { readFileSync } from 'node:fs';
import { cv, matOver, withMats, type CascadeClassifier } from '../opencv.js';
import { withForehead } from './blazeface.js';
import type { Detection, FaceFinder, FinderProfile } from './face-finder.js';
import type { Sample } from './sample.js';

/** Width of the smallest face that a cascade knows, in pixels of the sample. */
const MIN_FACE = 20;
const SCALE_FACTOR = 1.1;
const MIN_NEIGHBORS = 2;
/** Number of overlapping hits that is a score of 0.5. */
const HITS_OF_HALF_SCORE = 4;
/** Number of hits above which a detection is a face: faces have 14 and more, false detections up to 12. */
const FACE_HITS = 13;

/**
 * Viola-Jones with one of OpenCV's cascades. Its score has no scale of its own: it grows with the
 * number of hits at neighbouring places and sizes, towards 1.
 */
export class HaarFinder implements FaceFinder {
  readonly name = 'haar';
  readonly profile: FinderProfile = {
    colour: false,
    turns: false,
    faceScore: scoreOf(FACE_HITS),
    closeFaceScore: scoreOf(FACE_HITS),
    candidateScore: scoreOf(FACE_HITS),
    possibleScore: scoreOf(6),
    trackedScore: scoreOf(MIN_NEIGHBORS),
    quickWidth: 320,
    fullWidth: 640,
    nearFace: 60,
  };
  private readonly cascade: CascadeClassifier;

  /** @param path of a file for which `isCascadeFile` holds: with any other, OpenCV ends the process */
  constructor(path: string) {
    this.cascade = new cv.CascadeClassifier(path);
  }

  async detect({ planes, width, height }: Sample): Promise<Detection[]> {
    const { objects, numDetections } = withMats((own) =>
      this.cascade.detectMultiScale(
        own(matOver({ pixels: planes[0]!, width, height })),
        ...([SCALE_FACTOR, MIN_NEIGHBORS, 0] as const),
        new cv.Size(MIN_FACE, MIN_FACE),
        new cv.Size(width, height),
      ),
    );
    return objects.map((box, n) => ({
      ...withForehead({ x: box.x, y: box.y, width: box.width, height: box.height }),
      score: scoreOf(numDetections[n] ?? 0),
    }));
  }
}

/** Whether the file exists and is a whole cascade of a kind that OpenCV reads. */
export function isCascadeFile(path: string): boolean {
  try {
    const text = readFileSync(path, 'utf8');
    return (
      /type_id="opencv-(cascade-classifier|haar-classifier)"/.test(text) &&
      text.trimEnd().endsWith('</opencv_storage>')
    );
  } catch {
    return false;
  }
}

function scoreOf(hits: number): number {
  return hits / (hits + HITS_OF_HALF_SCORE);
}
