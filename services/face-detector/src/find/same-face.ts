import type { Face } from '@facecast/shared/messages';

/** Boxes that share more than this part of their union are one face. */
const SAME_FACE_OVERLAP = 0.3;

/** Whether two boxes of one frame, or of neighbouring ones, are of the same face. */
export function isSameFace(a: Face, b: Face): boolean {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return false;
  const shared = width * height;
  return shared > SAME_FACE_OVERLAP * (a.width * a.height + b.width * b.height - shared);
}
