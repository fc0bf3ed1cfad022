import type { Effect } from '@facecast/shared/ingest-protocol';
import type { Face } from '@facecast/shared/messages';
import type { I420Frame } from '../i420.js';
import { blurHead, blurWhole } from './blur.js';
import { drawBox } from './box.js';
import { pixelateHead } from './pixelate.js';

/**
 * Applies a session's effect to a frame, in place.
 *
 * @param faces in pixels of the frame; undefined where the frame was not searched: then `blur` and
 * `pixelate` blur all of it, because nothing unsearched may be shown clear
 */
export function applyEffect(effect: Effect, frame: I420Frame, faces: Face[] | undefined): void {
  switch (effect) {
    case 'none':
      return;
    case 'box':
      for (const face of faces ?? []) drawBox(frame, face);
      return;
    case 'blur':
      if (!faces) return blurWhole(frame);
      for (const face of faces) blurHead(frame, face);
      return;
    case 'pixelate':
      if (!faces) return blurWhole(frame);
      for (const face of faces) pixelateHead(frame, face);
      return;
  }
}
