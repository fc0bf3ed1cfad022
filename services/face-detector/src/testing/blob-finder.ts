import type { Size } from '@facecast/shared/media/size';
import { frameBytes } from '@facecast/shared/media/frame-store';
import type { Detection, FaceFinder, FinderProfile } from '../finders/face-finder.js';
import type { Sample } from '../finders/sample.js';
import type { Rect } from '../geometry/rect.js';
import { framesOf, type I420Frame } from '../i420.js';

/** Luma of a certain face, and of a doubtful one. */
const FACE = 250;
const DOUBTFUL = 215;
const FACE_SCORE = 0.9;
const DOUBTFUL_SCORE = 0.4;
const MIN_LUMA = 200;
const BACKGROUND = 60;

/** A face of a drawn frame: a bright box, upright if it is higher than wide. */
export interface Blob extends Rect {
  doubtful?: boolean;
}

/** A frame of plain grey with these faces. */
export function drawBlobs(blobs: readonly Blob[], size: Size, background = BACKGROUND): I420Frame {
  const bytes = new Uint8Array(frameBytes(size.width, size.height)).fill(128);
  const frame = framesOf(bytes, { frameCount: 1, ...size })[0]!;
  frame.y.pixels.fill(background);
  for (const { x, y, width, height, doubtful } of blobs)
    for (let row = Math.max(0, y); row < Math.min(size.height, y + height); row++) {
      const start = row * size.width;
      frame.y.pixels.fill(
        doubtful ? DOUBTFUL : FACE,
        start + Math.max(0, x),
        start + Math.min(size.width, Math.max(0, x + width)),
      );
    }
  return frame;
}

/**
 * An exact and fast finder for drawn frames: each bright blob that is higher than wide is a face. It
 * records the sizes of the samples that it was given.
 */
export class BlobFinder implements FaceFinder {
  readonly name = 'blobs';
  readonly profile: FinderProfile = {
    ...{ colour: false, turns: true, quickWidth: 320, fullWidth: 640, nearFace: 40 },
    ...{ faceScore: 0.6, closeFaceScore: 0.6, candidateScore: 0.5 },
    ...{ possibleScore: 0.3, trackedScore: 0.1 },
  };
  asked: string[] = [];
  /** Whether a part of a lying blob is also detected as a doubtful upright face. */
  seesEars = false;

  async detect({ planes, width, height }: Sample): Promise<Detection[]> {
    this.asked.push(`${width}x${height}`);
    const luma = planes[0]!;
    const seen = new Uint8Array(luma.length);
    const found: Detection[] = [];
    for (let at = 0; at < luma.length; at++) {
      if (seen[at] || luma[at]! < MIN_LUMA) continue;
      const blob = blobAt(at, luma, width, seen);
      if (blob.height > blob.width) found.push(blob);
      else if (this.seesEars)
        found.push({ ...blob, width: blob.height / 2, score: DOUBTFUL_SCORE });
    }
    return found;
  }
}

/** The connected bright pixels around one of them. */
function blobAt(start: number, luma: Buffer, width: number, seen: Uint8Array): Detection {
  let [left, right, top, bottom, most] = [width, 0, luma.length, 0, 0];
  const open = [start];
  seen[start] = 1;
  while (open.length > 0) {
    const at = open.pop()!;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    most = Math.max(most, luma[at]!);
    const beside = [at - width, at + width, ...(x > 0 ? [at - 1] : [])];
    if (x < width - 1) beside.push(at + 1);
    for (const next of beside)
      if (luma[next]! >= MIN_LUMA && !seen[next]) {
        seen[next] = 1;
        open.push(next);
      }
  }
  const score = most > (FACE + DOUBTFUL) / 2 ? FACE_SCORE : DOUBTFUL_SCORE;
  return { x: left, y: top, width: right - left, height: bottom - top, score };
}
