import type { Effect } from '@facecast/shared/ingest-protocol';
import type { Face } from '@facecast/shared/messages';
import type { I420Frame } from '../i420.js';
import { blurHead, blurWhole } from './blur.js';
import { drawBox } from './box.js';
import { pixelateHead } from './pixelate.js';

/** Where the faces of one frame are, and how well that is known. */
export interface Sighting {
  /** Whether this very frame was searched; if not, the faces are those of a frame shortly before. */
  searched: boolean;
  /** In pixels of the frame; undefined where nothing recent enough is known. */
  faces: Face[] | undefined;
}

/**
 * Applies a session's effect to a frame, in place. What was not searched is never shown clear: `blur`
 * and `pixelate` then cover far more than the last known faces, or blur all of the frame where there
 * are none to go by.
 */
export function applyEffect(effect: Effect, frame: I420Frame, { searched, faces }: Sighting): void {
  switch (effect) {
    case 'none':
      return;
    case 'box':
      for (const face of faces ?? []) drawBox(frame, face);
      return;
    case 'blur':
      if (!faces) return blurWhole(frame);
      for (const face of faces) blurHead(frame, searched ? face : enlarged(face));
      return;
    case 'pixelate':
      if (!faces) return blurWhole(frame);
      for (const face of faces) pixelateHead(frame, searched ? face : enlarged(face));
      return;
  }
}

/** A face may have moved by its own width since it was last seen. */
const ENLARGEMENT = 2;

function enlarged({ x, y, width, height, score }: Face): Face {
  return {
    x: x - (width * (ENLARGEMENT - 1)) / 2,
    y: y - (height * (ENLARGEMENT - 1)) / 2,
    width: width * ENLARGEMENT,
    height: height * ENLARGEMENT,
    score,
  };
}
