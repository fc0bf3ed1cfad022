import type { Effect } from '@facecast/shared/ingest-protocol';
import type { I420Frame } from '../i420.js';
import type { Sighting } from '../find/sighting.js';
import { blackenHead, blackenWhole } from './black.js';
import { blurHead, blurWhole } from './blur.js';
import { drawBox } from './box.js';
import { pixelateHead } from './pixelate.js';

/**
 * Applies a session's effect to a frame, in place. `box` shows what surely is a face. Those that
 * hide faces cover whatever may be one, as far as it may reach, and all of the frame where nothing
 * recent enough is known.
 */
export function applyEffect(effect: Effect, frame: I420Frame, { faces }: Sighting): void {
  switch (effect) {
    case 'none':
      return;
    case 'box':
      for (const face of faces ?? []) if (face.sure) drawBox(frame, face);
      return;
    case 'blur':
      if (!faces) return blurWhole(frame);
      for (const face of faces) blurHead(frame, face);
      return;
    case 'pixelate':
      if (!faces) return blurWhole(frame);
      for (const face of faces) pixelateHead(frame, face);
      return;
    case 'black':
      if (!faces) return blackenWhole(frame);
      for (const face of faces) blackenHead(frame, face);
      return;
  }
}
