import type { FinderProfile } from '../finders/face-finder.js';
import { cheapScale, type Turn } from '../finders/sample.js';
import type { Size } from '../geometry/rect.js';

/**
 * The ways in which all of a picture is searched. `quick` finds most faces; `full` the small ones;
 * `coarse` those as wide as the picture; `left`, `right` and `down` those whose head lies to the left, to
 * the right, or upside down; `lying` the small ones of these, once it is known how they lie.
 */
export const VIEWS = ['quick', 'full', 'coarse', 'left', 'right', 'down', 'lying'] as const;
export type View = (typeof VIEWS)[number];

/** Turned clockwise by this, a face that lies this way is upright. */
const TURNS: Record<Exclude<View, 'lying'>, Turn> = {
  ...{ quick: 0, full: 0, coarse: 0 },
  ...{ left: 90, right: 270, down: 180 },
};

/** Longer side of a coarse sample of the whole picture, in pixels. */
const COARSE_SIDE = 160;

/**
 * How far the picture is turned for a view.
 * @param lying how the known faces lie that are not upright; 0 if there are none
 */
export function turnOf(view: View, lying: Turn): Turn {
  return view === 'lying' ? lying : TURNS[view];
}

/** The view that finds heads as this one lies. */
export function viewOfTurn(turn: Turn): View {
  return (['quick', 'left', 'right', 'down'] as const).find((view) => TURNS[view] === turn)!;
}

/** A view's bit in a mask of views. */
export function bitOf(view: View): number {
  return 1 << VIEWS.indexOf(view);
}

/** Set in a mask for what has changed since a known face was found there. */
export const CHANGED = 1 << VIEWS.length;

/** The bits of all views, and `CHANGED`. */
export const ALL_BITS = 2 * CHANGED - 1;

/** The least scale at which anything is searched: there a face may be as large as the picture. */
export function coarseScale({ width, height }: Size): number {
  return cheapScale(Math.min(1, COARSE_SIDE / Math.max(width, height)));
}

/** Pixels of the sample to one of the picture. */
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
