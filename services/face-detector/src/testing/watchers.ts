import { BlazeFaceFinder } from '../finders/blazeface.js';
import { BLAZEFACE_MODEL } from '../finders/create-finder.js';
import { HaarFinder } from '../finders/haar.js';
import type { Detection, FaceFinder } from '../finders/face-finder.js';
import type { Turn } from '../finders/sample.js';
import { distance, inflate, longerSide, wholeOf, type Rect } from '../geometry/rect.js';
import type { I420Frame } from '../i420.js';
import { execute } from '../tracking/execute.js';

const CASCADES = '/usr/share/opencv4/haarcascades';
/** Scores from which the finders' detections count, as is usual for each. */
const BLAZEFACE_SCORE = 0.5;
const HAAR_SCORE = 3 / 7;
/** Size of a face in a close look, in pixels. */
const NEAR_FACE = 48;
/** Width of a look at the whole picture, in pixels. */
const WHOLE_WIDTH = 448;

/** Finders that look for a face that should be hidden: Haar with OpenCV's defaults, and BlazeFace. */
export class Watchers {
  private constructor(private readonly finders: { finder: FaceFinder; minScore: number }[]) {}

  static async load(): Promise<Watchers> {
    const haar = ['alt2', 'default'].map(
      (name) => new HaarFinder(`${CASCADES}/haarcascade_frontalface_${name}.xml`),
    );
    return new Watchers([
      { finder: await BlazeFaceFinder.load(BLAZEFACE_MODEL), minScore: BLAZEFACE_SCORE },
      ...haar.map((finder) => ({ finder, minScore: HAAR_SCORE })),
    ]);
  }

  /** Whether any of them finds a face at one of the places, of about its size. */
  async see(frame: I420Frame, faces: readonly Rect[]): Promise<boolean> {
    if (faces.length === 0) return false;
    for (const { finder, minScore } of this.finders) {
      const all = await look(finder, frame, wholeOf(frame.y), WHOLE_WIDTH / frame.y.width);
      for (const face of faces) {
        const near = inflate(face, longerSide(face));
        const close = await look(finder, frame, near, NEAR_FACE / longerSide(face));
        if ([...all, ...close].some((one) => one.score >= minScore && isIt(face, one))) return true;
      }
    }
    return false;
  }
}

async function look(
  finder: FaceFinder,
  frame: I420Frame,
  region: Rect,
  scale: number,
): Promise<Detection[]> {
  const turn: Turn = 0;
  return execute(finder, frame, [{ region, scale, turn }]);
}

function isIt(face: Rect, found: Rect): boolean {
  const ratio = found.width / face.width;
  return ratio > 0.5 && ratio < 2 && distance(found, face) < face.width / 2;
}
