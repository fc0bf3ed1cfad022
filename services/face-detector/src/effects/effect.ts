import {
  hidesFaces,
  type Effect,
  type HidingEffect,
} from '@facecast/shared/protocol/ingest-protocol';
import type { Ellipse } from '../geometry/area.js';
import { headOf } from '../geometry/head.js';
import { longerSide } from '../geometry/rect.js';
import type { I420Frame } from '../i420.js';
import type { FrameFaces } from '../tracking/frame-faces.js';
import { blackenAround, blackenWhole } from './black.js';
import { blurAround, blurWhole } from './blur.js';
import { drawBox } from './box.js';
import { pixelateAround } from './pixelate.js';

/** One way to hide: an ellipse in which a face of a given size may be, and a whole frame. */
interface Cover {
  around(frame: I420Frame, ellipse: Ellipse, faceSize: number): void;
  whole(frame: I420Frame): void;
}

const COVERS: Record<HidingEffect, Cover> = {
  blur: { around: blurAround, whole: blurWhole },
  pixelate: { around: pixelateAround, whole: blurWhole },
  black: { around: blackenAround, whole: blackenWhole },
};

const DRAWINGS: Record<
  Exclude<Effect, HidingEffect>,
  (frame: I420Frame, faces: FrameFaces) => void
> = {
  none: () => {},
  box: (frame, { faces = [] }) => faces.forEach((face) => face.sure && drawBox(frame, face)),
};

/** An ellipse with this many times the size of a box covers the box. */
const AROUND_BOX = Math.SQRT2;

/**
 * Applies a session's effect to a frame, in place. `box` outlines what is certainly a face. Effects that
 * hide faces cover everything that may be one, margins included, and the whole frame if nothing recent
 * enough is known.
 */
export function applyEffect(effect: Effect, frame: I420Frame, faces: FrameFaces): void {
  if (hidesFaces(effect)) return hide(COVERS[effect], frame, faces);
  DRAWINGS[effect](frame, faces);
}

function hide(cover: Cover, frame: I420Frame, { faces, unsearched }: FrameFaces): void {
  if (!faces) return cover.whole(frame);
  for (const face of faces) cover.around(frame, headOf(face), longerSide(face));
  for (const { x, y, width, height } of unsearched) {
    const ellipse = {
      ...{ x: x + width / 2, y: y + height / 2 },
      radiusX: (width * AROUND_BOX) / 2,
      radiusY: (height * AROUND_BOX) / 2,
    };
    cover.around(frame, ellipse, Math.min(width, height));
  }
}
