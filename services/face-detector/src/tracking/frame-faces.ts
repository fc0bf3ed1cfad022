import type { Face } from '@facecast/shared/protocol/messages';
import { between, hasMiddleIn, longerSide, type Rect, type Size } from '../geometry/rect.js';
import type { SearchSchedule } from './search-schedule.js';
import { expectedIn, type Track, type LookedDetection } from './track.js';

/** A face of one frame, and how well its place is known. */
export interface FrameFace extends Face {
  /** False for what is only hidden: it may be something else, or not be there any more. */
  sure: boolean;
  /** It may be this many pixels away from its box, in any direction. */
  margin: number;
}

/** Where the faces of one frame are. */
export interface FrameFaces {
  /** Whether the frame was searched, or one so near to it that its faces are known all the same. */
  searched: boolean;
  /** In pixels of the frame; undefined if nothing recent enough is known. */
  faces: FrameFace[] | undefined;
  /** Parts of the frame in which there may be a face because nobody looked. */
  unsearched: Rect[];
}

/** How far a face may be off between two detections, in parts of its size. */
const MARGIN_BETWEEN = 0.06;
/** Part of the way between two detections by which a face may be off between them. */
const MARGIN_OF_WAY = 0.2;
/** Part of the way between two detections by which a face may be off for each such way beyond the second. */
const MARGIN_BEYOND = 0.5;
/** How much farther a face may be off with each frame since it was found, in parts of its size. */
const MARGIN_A_FRAME = 0.05;
/** How much farther a face may be off with each frame before it was first found, in parts of its size. */
const MARGIN_BEFORE = 0.3;
/** No face is taken to be off by more than this, in parts of its size. */
const MAX_MARGIN = 1.2;
/** A face is followed beyond its second detection by at most this many ways between the two. */
const MAX_BEYOND = 1;
/** Of a way that is longer than this, in parts of the face's size, every place is covered. */
const LONG_WAY = 0.6;

/** A face in a frame between (or at) two detections of it, or a little beyond them. */
export function interpolate(from: Track, to: Track, frame: number): FrameFace {
  const frames = to.foundIn - from.foundIn;
  const part = frames === 0 ? 1 : Math.min(1 + MAX_BEYOND, (frame - from.foundIn) / frames);
  const way = Math.hypot(to.x - from.x, to.y - from.y);
  const beyond = Math.max(0, part - 1, -part);
  const off = part === 1 ? 0 : (MARGIN_OF_WAY + MARGIN_BEYOND * beyond) * way;
  return frameFace(to, between(from, to, part), MARGIN_BETWEEN * longerSide(to) + off);
}

/** The places on the way between two detections that are far apart: whoever turns back is on it. */
export function wayBetween(from: Track, to: Track): FrameFace[] {
  const size = longerSide(to);
  const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / (LONG_WAY * size));
  if (steps < 2) return [];
  return Array.from({ length: steps + 1 }, (_, n) => {
    const face = frameFace(to, between(from, to, n / steps), MARGIN_BETWEEN * size);
    return { ...face, sure: false };
  });
}

/** A face in a frame before the first one in which it was found. */
export function backcast(track: Track, frame: number): FrameFace {
  const frames = Math.abs(track.foundIn - frame);
  return { ...frameFace(track, track, frames * MARGIN_BEFORE * longerSide(track)), sure: false };
}

/** A face that was not found any more. */
export function extrapolate(
  track: Track,
  frame: number,
  picture: Size,
  schedule: SearchSchedule,
): FrameFace {
  const frames = Math.abs(frame - track.foundIn);
  const way = Math.hypot(track.dx, track.dy) * frames;
  const off = MARGIN_A_FRAME * frames * longerSide(track) + MARGIN_OF_WAY * way;
  const box = expectedIn(track, frame);
  const sure = track.sure && frames <= schedule.hold && hasMiddleIn(box, picture);
  return { ...frameFace(track, box, off), sure };
}

/** What was found in a frame between two that were searched, to be hidden there. */
export function foundOnce({ x, y, width, height, score }: LookedDetection): FrameFace {
  const margin = MARGIN_BETWEEN * Math.max(width, height);
  return { id: 0, x, y, width, height, score, sure: false, margin };
}

function frameFace({ id, score, sure }: Track, box: Rect, margin: number): FrameFace {
  const { x, y, width, height } = box;
  const most = MAX_MARGIN * Math.max(width, height);
  return { id, x, y, width, height, score, sure, margin: Math.min(margin, most) };
}
