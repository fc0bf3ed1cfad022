import { faceSchema } from '@facecast/shared/protocol/messages';
import { z } from 'zod';
import type { Detection, FinderProfile } from '../finders/face-finder.js';
import type { Turn } from '../finders/sample.js';
import { iou, longerSide, type Rect } from '../geometry/rect.js';

/**
 * A face that is followed from frame to frame. Its box is smoothed, `score` is that of its newest
 * detection. It goes through Redis from replica to replica.
 */
export const trackSchema = faceSchema.extend({
  /** Whether it was ever surely a face; if not it is hidden, but not called one. */
  sure: z.boolean(),
  /** Whether a close look was taken at it. */
  checked: z.boolean(),
  /** How the middle of the box moves, in pixels a frame. */
  dx: z.number(),
  dy: z.number(),
  /** The last frame in which it was really found. */
  foundIn: z.number().int().nonnegative(),
  /** How far the picture was turned when it was found. */
  turn: z.literal([0, 90, 180, 270]),
});
export type Track = z.infer<typeof trackSchema>;

/** A detection, how far the picture was turned for it, and whether it was looked at closely. */
export type LookedDetection = Detection & { turn: Turn; close: boolean };

/** Turned by a quarter or a half, much looks a little like a face: its score counts this much. */
const TURNED_SCORE = 0.8;

/** Whether a detection surely is a face. */
export function isSure(detection: LookedDetection, profile: FinderProfile): boolean {
  return countedScore(detection) >= (detection.close ? profile.closeFaceScore : profile.faceScore);
}

/** Whether one detection of a face shows better than another where it is. */
export function isBetter(one: Scored, other: Scored): boolean {
  return countedScore(one) > countedScore(other);
}

type Scored = Pick<LookedDetection, 'score' | 'turn'>;

function countedScore({ score, turn }: Scored): number {
  return turn === 0 ? score : TURNED_SCORE * score;
}

/** A detection this many sizes of the face away from where it was expected is where it is, not smoothed. */
const JUMP = 0.07;
/** A detection whose size differs by this part is of that size: it is not smoothed. */
const RESIZE = 0.15;
/** Of the difference between a detection and what was expected at least this part is taken. */
const MIN_GAIN = 0.2;
/** Of a step that the place takes the speed takes this part. */
const SPEED_GAIN = 0.7;
/** A detection of a sure face makes one of a track that shares this part of their union. */
const CONFIRMING_IOU = 0.4;
/** This part of a speed is left after a frame without a detection: who turns away comes to a stop. */
const INERTIA = 0.92;

/** Where the face of a track should be in a frame, after or before the one in which it was found. */
export function expectedIn(track: Track, frame: number): Rect {
  const frames = frame - track.foundIn;
  const travelled = (Math.sign(frames) * (1 - INERTIA ** Math.abs(frames))) / (1 - INERTIA);
  return {
    x: track.x + track.dx * travelled,
    y: track.y + track.dy * travelled,
    width: track.width,
    height: track.height,
  };
}

/**
 * The track after a detection in `frame`: an alpha-beta filter (a Kalman filter with fixed gains)
 * whose gain grows with the difference. A small difference is mostly the finder's own unsteadiness;
 * what really moves is followed at once.
 */
export function updated(
  track: Track,
  detection: LookedDetection,
  frame: number,
  sure: boolean,
): Track {
  const expected = expectedIn(track, frame);
  const size = longerSide(track);
  const right = detection.x + detection.width / 2 - expected.x - expected.width / 2;
  const down = detection.y + detection.height / 2 - expected.y - expected.height / 2;
  const gain = gainOf(Math.hypot(right, down) / size, JUMP);
  const grow = gainOf(Math.abs(longerSide(detection) - size) / size, RESIZE);
  const width = track.width + grow * (detection.width - track.width);
  const height = track.height + grow * (detection.height - track.height);
  const frames = frame - track.foundIn;
  const speedGain = frames === 0 ? 0 : (gain * SPEED_GAIN) / frames;
  return {
    id: track.id,
    x: expected.x + expected.width / 2 + gain * right - width / 2,
    y: expected.y + expected.height / 2 + gain * down - height / 2,
    ...{ width, height },
    score: detection.score,
    sure: track.sure || (sure && iou(detection, expected) > CONFIRMING_IOU),
    dx: track.dx + speedGain * right,
    dy: track.dy + speedGain * down,
    foundIn: frame,
    turn: detection.turn,
    checked: track.checked || detection.close,
  };
}

/** A track that begins with this detection. */
export function begun(detection: LookedDetection, id: number, frame: number, sure: boolean): Track {
  const { x, y, width, height, score, turn } = detection;
  const at = { id, x, y, width, height, score, turn };
  return { ...at, sure, checked: detection.close, dx: 0, dy: 0, foundIn: frame };
}

function gainOf(difference: number, full: number): number {
  return Math.min(1, Math.max(MIN_GAIN, difference / full));
}
