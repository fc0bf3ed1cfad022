import { BlazeFaceFinder } from '../find/blazeface.js';
import { BLAZEFACE_MODEL } from '../find/choose.js';
import type { Place } from '../find/face-finder.js';
import { cv, matOver, withMats, type CascadeClassifier } from '../find/opencv.js';
import { distance, grown, unscaled, within } from '../find/place.js';
import type { Plane } from '../i420.js';

const CASCADES = '/usr/share/opencv4/haarcascades';
/** What BlazeFace is usually asked to give for a face. */
const BLAZEFACE_SCORE = 0.5;

/** Finders that look for a face that should be hidden: Haar with OpenCV's defaults, and BlazeFace. */
export class Watchers {
  private readonly cascades: CascadeClassifier[];

  private constructor(private readonly blazeFace: BlazeFaceFinder) {
    this.cascades = ['alt2', 'default'].map(
      (name) => new cv.CascadeClassifier(`${CASCADES}/haarcascade_frontalface_${name}.xml`),
    );
  }

  static async load(): Promise<Watchers> {
    return new Watchers(await BlazeFaceFinder.load(BLAZEFACE_MODEL));
  }

  /** Whether any of them finds a face at the place, of about its size. */
  async see(picture: Plane, face: Place): Promise<boolean> {
    const isIt = (find: Place) =>
      distance(find, face) < face.width / 2 &&
      find.width > face.width / 2 &&
      find.width < face.width * 2;
    if (this.cascades.some((cascade) => haarFinds(cascade, picture, face).some(isIt))) return true;
    const near = await this.blazeFace.findNear(picture, face);
    const all = await this.blazeFace.findAll(picture, 'thorough');
    return [...(near ? [near] : []), ...all].some(
      (find) => find.score >= BLAZEFACE_SCORE && isIt(find),
    );
  }
}

/** What a cascade finds around a place, at the picture's full size: much of its work is elsewhere. */
function haarFinds(cascade: CascadeClassifier, picture: Plane, face: Place): Place[] {
  const region = within(grown(face, face.width), picture);
  if (!region) return [];
  const { objects } = withMats((own) => {
    const rect = new cv.Rect(region.x, region.y, region.width, region.height);
    const part = own(own(matOver(picture)).getRegion(rect));
    const smallest = new cv.Size(0, 0);
    const largest = new cv.Size(2 * face.width, 2 * face.width);
    return cascade.detectMultiScale(part, 1.1, 3, 0, smallest, largest);
  });
  return objects.map((place) => unscaled(place, 1, region));
}
