import { BlazeFaceFinder } from '../find/blazeface.js';
import { BLAZEFACE_MODEL } from '../find/choose.js';
import type { Find, Place } from '../find/face-finder.js';
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

  /** Whether any of them finds a face at one of the places, of about its size. */
  async see(picture: Plane, faces: readonly Place[]): Promise<boolean> {
    if (faces.length === 0) return false;
    const seen = (face: Place, finds: readonly Place[]) => finds.some((find) => isIt(face, find));
    const all = clearOnly(await this.blazeFace.findAll(picture, 'thorough'));
    for (const face of faces) {
      const near = await this.blazeFace.findNear(picture, face);
      if (seen(face, [...all, ...clearOnly(near ? [near] : [])])) return true;
      if (this.cascades.some((cascade) => seen(face, haarFinds(cascade, picture, face))))
        return true;
    }
    return false;
  }
}

function clearOnly(finds: readonly Find[]): Find[] {
  return finds.filter(({ score }) => score >= BLAZEFACE_SCORE);
}

function isIt(face: Place, find: Place): boolean {
  const isAlike = find.width > face.width / 2 && find.width < face.width * 2;
  return isAlike && distance(find, face) < face.width / 2;
}

/** What a cascade finds around a place, at the picture's full size: much of its work is elsewhere. */
function haarFinds(cascade: CascadeClassifier, picture: Plane, face: Place): Place[] {
  const region = within(grown(face, face.width), picture);
  if (!region) return [];
  const { objects } = withMats((own) => {
    const rect = new cv.Rect(region.x, region.y, region.width, region.height);
    const part = own(own(matOver(picture)).getRegion(rect));
    const smallest = new cv.Size(face.width / 2, face.width / 2);
    const largest = new cv.Size(2 * face.width, 2 * face.width);
    return cascade.detectMultiScale(part, 1.1, 3, 0, smallest, largest);
  });
  return objects.map((place) => unscaled(place, 1, region));
}
