import type { Size } from '@facecast/shared/media/size';
import type { Face } from '@facecast/shared/protocol/messages';
import { between, hasMiddleIn, longerSide, type Rect } from '../geometry/rect.js';
import type { SearchSchedule } from './search-schedule.js';
import { expectedIn, type Track, type LookedDetection } from './track.js';

/** A face of one frame, and how well its place is known. */
export interface FrameFace extends Face {
  /** Whether it is certainly a face; if not, it is only hidden, because it may be something else or gone. */
  sure: boolean;
  /** How far it may be from its box in any direction, in pixels. */
  margin: number;
}

/** The faces of one frame. */
export interface FrameFaces {
  /** Whether the frame was searched, or its faces follow from a searched frame of its run. */
  searched: boolean;
  /** In pixels of the frame; undefined if nothing recent enough is known. */
  faces: FrameFace[] | undefined;
  /** Parts of the frame in which there may be a face, because they were not searched. */
  unsearched: Rect[];
}

/** Margin of a face between two detections, as a fraction of its size. */
const MARGIN_BETWEEN = 0.06;
/** Margin of a face between two detections, as a fraction of the way between them. */
const MARGIN_OF_WAY = 0.2;
/** Margin of a face beyond its second detection, as a fraction of the extrapolated way. */
const MARGIN_BEYOND = 0.5;
/** Growth of the margin with each frame since a face was found, as a fraction of its size. */
const MARGIN_A_FRAME = 0.05;
/** Growth of the margin with each frame before a face was first found, as a fraction of its size. */
const MARGIN_BEFORE = 0.3;
/** Maximum margin, as a fraction of the face's size. */
const MAX_MARGIN = 1.2;
/** A face is extrapolated beyond its second detection by at most this many times the way between the two. */
const MAX_BEYOND = 1;
/**
 * If the way between two detections is longer than this fraction of the face's size, all of it is covered.
 */
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

/** Places along the way between two detections that are far apart: a face that turned back is among them. */
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

/** A face in a frame after the last one in which it was found. */
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

/** A face that was found only in a frame between two searched ones, to be hidden there. */
export function foundOnce({ x, y, width, height, score }: LookedDetection): FrameFace {
  const margin = MARGIN_BETWEEN * Math.max(width, height);
  return { id: 0, x, y, width, height, score, sure: false, margin };
}

function frameFace({ id, score, sure }: Track, box: Rect, margin: number): FrameFace {
  const { x, y, width, height } = box;
  const most = MAX_MARGIN * Math.max(width, height);
  return { id, x, y, width, height, score, sure, margin: Math.min(margin, most) };
}
