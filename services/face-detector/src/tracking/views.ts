import type { Size } from '@facecast/shared/media/size';
import type { FinderProfile } from '../finders/face-finder.js';
import { cheapScale, type Turn } from '../finders/sample.js';

/**
 * The ways in which a whole picture is searched. `quick` finds most faces. `full`, at most as wide as the
 * finder's profile says, finds small ones. `coarse` finds those as wide as the picture. `left`, `right` and
 * `down` find those whose head lies to the left, to the right, or upside down. `lying` finds small ones of
 * these, once their turn is known.
 */
export const VIEWS = ['quick', 'full', 'coarse', 'left', 'right', 'down', 'lying'] as const;
export type View = (typeof VIEWS)[number];

/** The clockwise turn that makes a face of each view upright. */
const ROTATIONS: Record<Exclude<View, 'lying'>, Turn> = {
  ...{ quick: 0, full: 0, coarse: 0 },
  ...{ left: 90, right: 270, down: 180 },
};

/** Longer side of a coarse sample of the whole picture, in pixels. */
const COARSE_SIDE = 160;

/**
 * How far the picture is turned for a view.
 * @param lying the turn of the known faces that are not upright; 0 if there are none
 */
export function turnOf(view: View, lying: Turn): Turn {
  return view === 'lying' ? lying : ROTATIONS[view];
}

/** The view that finds heads with this turn. */
export function viewOfTurn(turn: Turn): View {
  return (['quick', 'left', 'right', 'down'] as const).find((view) => ROTATIONS[view] === turn)!;
}

/** A view's bit in a mask of views. */
export function bitOf(view: View): number {
  return 1 << VIEWS.indexOf(view);
}

/** The bit of cells that have changed since a known face was found there. */
export const CHANGED = 1 << VIEWS.length;

/** The bits of all views, and `CHANGED`. */
export const ALL_BITS = 2 * CHANGED - 1;

/** Lowest scale of a search, at which a face may be as large as the picture. */
export function coarseScale({ width, height }: Size): number {
  return cheapScale(Math.min(1, COARSE_SIDE / Math.max(width, height)));
}

/** Scale of a view: pixels of the sample for each pixel of the picture. */
export function scaleOf(
  view: View,
  { quickWidth, fullWidth }: FinderProfile,
  picture: Size,
): number {
  const longer = Math.max(picture.width, picture.height);
  switch (view) {
    case 'full':
    case 'lying':
      return Math.min(1, fullWidth / longer);
    case 'coarse':
      return coarseScale(picture);
    case 'quick':
    case 'left':
    case 'right':
    case 'down':
      return 1 / Math.ceil(longer / quickWidth);
  }
}
