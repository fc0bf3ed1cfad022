import type { Place } from '@facecast/face-detector/find/face-finder';
import { distance, overlap } from '@facecast/face-detector/find/place';
import type { SeenFace } from '@facecast/face-detector/find/sighting';
import { headOf } from '@facecast/face-detector/effects/area';
import type { TrueFace } from '@facecast/face-detector/testing/scene';

/** What one way of finding faces came to, over one clip. */
export interface Score {
  scene: string;
  frames: number;
  /** CPU of the process for detection and effect, in ms. */
  cpuMs: number;
  /** Frontal faces of 40 pixels and more in all frames, and those of them that were found. */
  wanted: number;
  found: number;
  /** Finds that are no face. */
  wrong: number;
  /** The longest time that a face could be seen although it should be covered, in frames. */
  gap: number;
  /** Most pixels that the outline of a face moves from one frame to the next. */
  jump: number;
  ids: number;
}

/** Least width of a face that must be found, in pixels. */
const LEAST_WIDTH = 40;

/** A face keeps its outline for so long after it was lost. */
const GONE_FRAMES = 18;

/** Judges a clip's frames in order. */
export class Judge {
  readonly score: Score;
  private readonly gaps: number[] = [];
  private before: readonly SeenFace[] = [];
  /** True faces of the newest frames: one that has just gone is not a wrong find. */
  private readonly truths: (readonly TrueFace[])[] = [];
  private readonly ids = new Set<number>();

  constructor(
    scene: string,
    private readonly picture: { width: number; height: number },
  ) {
    this.score = {
      scene,
      frames: 0,
      cpuMs: 0,
      wanted: 0,
      found: 0,
      wrong: 0,
      gap: 0,
      jump: 0,
      ids: 0,
    };
  }

  /** @param seen undefined where all of the frame was covered */
  frame(truth: readonly TrueFace[], seen: readonly SeenFace[] | undefined): void {
    const { score } = this;
    score.frames++;
    const finds = (seen ?? []).filter(({ sure }) => sure);
    const wanted = truth.filter((face) => face.frontal && face.whole && face.width >= LEAST_WIDTH);
    score.wanted += wanted.length;
    score.found += wanted.filter((face) => finds.some((find) => isFaceAt(face, find))).length;
    this.truths.unshift(truth);
    this.truths.length = Math.min(this.truths.length, GONE_FRAMES);
    const lately = this.truths.flat();
    score.wrong += finds.filter((find) => !lately.some((face) => overlap(face, find) > 0.1)).length;
    truth.forEach((face, n) => {
      const isCovered = !seen || this.isCovered(face, seen);
      this.gaps[n] = isCovered ? 0 : (this.gaps[n] ?? 0) + 1;
      score.gap = Math.max(score.gap, this.gaps[n]);
    });
    for (const face of finds) {
      this.ids.add(face.id);
      const before = this.before.find(({ id }) => id === face.id);
      if (before) score.jump = Math.max(score.jump, ...movesOf(before, face));
    }
    score.ids = this.ids.size;
    this.before = finds;
  }

  private isCovered(face: Place, seen: readonly SeenFace[]): boolean {
    const heads = seen.map(headOf);
    for (let row = -2; row <= 2; row++)
      for (let column = -2; column <= 2; column++) {
        if (Math.hypot(row, column) > 2.3) continue;
        const x = face.x + face.width * (0.5 + column / 5);
        const y = face.y + face.height * (0.5 + row / 5);
        if (x < 0 || y < 0 || x >= this.picture.width || y >= this.picture.height) continue;
        const isIn = heads.some(
          (head) => Math.hypot((x - head.x) / head.radiusX, (y - head.y) / head.radiusY) <= 1,
        );
        if (!isIn) return false;
      }
    return true;
  }
}

/** Whether a find is at the face's place, of about its size. */
function isFaceAt(face: Place, find: Place): boolean {
  const ratio = find.width / face.width;
  return distance(face, find) < 0.4 * face.width && ratio > 0.5 && ratio < 2;
}

function movesOf(a: Place, b: Place): number[] {
  return [a.x - b.x, a.y - b.y, a.x + a.width - b.x - b.width, a.y + a.height - b.y - b.height].map(
    Math.abs,
  );
}
