import type { FaceFinder, Find } from '@facecast/face-detector/find/face-finder';
import { cv, matOver, withMats } from '@facecast/face-detector/find/opencv';
import type { Plane } from '@facecast/face-detector/i420';

/** Where Debian's opencv-data puts them. */
export const CASCADES = '/usr/share/opencv4/haarcascades';

/** How the demonstration before this project looked for faces: OpenCV's defaults, whole picture. */
export class AncestorFinder implements FaceFinder {
  private readonly cascade = new cv.CascadeClassifier(
    `${CASCADES}/haarcascade_frontalface_default.xml`,
  );
  private found: Find[] = [];

  async findAll(picture: Plane): Promise<Find[]> {
    const { objects } = withMats((own) =>
      this.cascade.detectMultiScale(
        own(matOver(picture)),
        ...([1.1, 3, 0, new cv.Size(0, 0), new cv.Size(0, 0)] as const),
      ),
    );
    this.found = objects.map(({ x, y, width, height }) => {
      return { x, y, width, height, score: 1, sure: true };
    });
    return this.found;
  }

  /** It knew no parts. */
  async findIn(): Promise<Find[]> {
    return this.found;
  }

  /** It never looked twice. */
  async findNear(_: Plane, expected: Find): Promise<Find | undefined> {
    return this.found.find(({ x, y }) => x === expected.x && y === expected.y);
  }
}
