import type { Face } from '@facecast/shared/messages';
import type { Place } from './face-finder.js';
import type { Pace } from './pace.js';
import { isMiddleWithin } from './place.js';
import { between, expectedIn, type Track } from './track.js';

/** A face of one frame, and how well its place is known. */
export interface SeenFace extends Face {
  /** False for what is only hidden: it may be something else, or not be there any more. */
  sure: boolean;
  /** It may be so many pixels away from its box, in any direction. */
  margin: number;
}

/** Where the faces of one frame are. */
export interface Sighting {
  /** Whether the frame was searched, or one so near to it that its faces are known all the same. */
  searched: boolean;
  /** In pixels of the frame; undefined where nothing recent enough is known. */
  faces: SeenFace[] | undefined;
}

/** How far the place of a face can be off, as parts of its width: between two finds, */
const MARGIN_BETWEEN = 0.06;
/** and of the way that it went between them; */
const MARGIN_OF_WAY = 0.15;
/** of as much of that way as it is beyond them; */
const MARGIN_BEYOND = 0.5;
/** for each frame since it was found; */
const MARGIN_A_FRAME = 0.05;
/** for each frame before one in which it was found for the first time; */
const MARGIN_BEFORE = 0.3;
/** and in all. */
const MOST_MARGIN = 1.2;
/** So many times as far as the second find is from the first a face is followed beyond it. */
const FARTHEST_BEYOND = 2;

/**
 * A face in a frame between (or at) two finds of it, or a little beyond them: what was known before may
 * be of a later frame than all that are searched now.
 */
export function seenBetween(from: Track, to: Track, frame: number): SeenFace {
  const frames = to.foundIn - from.foundIn;
  const part = frames === 0 ? 1 : Math.min(FARTHEST_BEYOND, (frame - from.foundIn) / frames);
  const way = Math.hypot(to.x - from.x, to.y - from.y);
  const beyond = Math.max(0, part - 1, -part);
  const off = part === 1 ? 0 : (MARGIN_OF_WAY + MARGIN_BEYOND * beyond) * way;
  return seen(to, between(from, to, part), MARGIN_BETWEEN * to.width + off);
}

/** A face in a frame before the one in which it was found for the first time. */
export function seenBefore(track: Track, frame: number): SeenFace {
  const frames = Math.abs(track.foundIn - frame);
  return { ...seen(track, track, frames * MARGIN_BEFORE * track.width), sure: false };
}

/** A face that was not found any more. */
export function seenAfter(
  track: Track,
  frame: number,
  picture: { width: number; height: number },
  pace: Pace,
): SeenFace {
  const frames = Math.abs(frame - track.foundIn);
  const way = Math.hypot(track.dx, track.dy) * frames;
  const off = MARGIN_A_FRAME * frames * track.width + MARGIN_OF_WAY * way;
  const place = expectedIn(track, frame);
  const sure = track.sure && frames <= pace.hold && isMiddleWithin(place, picture);
  return { ...seen(track, place, off), sure };
}

function seen({ id, score, sure }: Track, place: Place, margin: number): SeenFace {
  const { x, y, width, height } = place;
  return { id, x, y, width, height, score, sure, margin: Math.min(margin, MOST_MARGIN * width) };
}
