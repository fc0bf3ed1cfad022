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
  /** Whether it was ever certainly a face; if not, it is hidden, but not listed. */
  sure: z.boolean(),
  /** Whether it had a close look. */
  checked: z.boolean(),
  /** Speed of the box's centre, in pixels a frame. */
  dx: z.number(),
  dy: z.number(),
  /** The last frame in which it was detected. */
  foundIn: z.number().int().nonnegative(),
  /** How far the picture was turned when it was found. */
  turn: z.literal([0, 90, 180, 270]),
});
export type Track = z.infer<typeof trackSchema>;

/** A detection, with the turn of the picture, and whether the look was a close one. */
export type LookedDetection = Detection & { turn: Turn; close: boolean };

/** Factor on the score of a detection in a turned picture, in which many things look a little like a face. */
const TURNED_SCORE = 0.8;

/** Whether a detection is certainly a face. */
export function isSure(detection: LookedDetection, profile: FinderProfile): boolean {
  return countedScore(detection) >= (detection.close ? profile.closeFaceScore : profile.faceScore);
}

/** Whether one detection of a face is better than another. */
export function isBetter(one: Scored, other: Scored): boolean {
  return countedScore(one) > countedScore(other);
}

type Scored = Pick<LookedDetection, 'score' | 'turn'>;

function countedScore({ score, turn }: Scored): number {
  return turn === 0 ? score : TURNED_SCORE * score;
}

/**
 * A detection is not smoothed if it is farther from the expected place than this fraction of the face's
 * size.
 */
const JUMP = 0.07;
/** A size is not smoothed if it differs by more than this fraction. */
const RESIZE = 0.15;
/** Minimum gain of the filter: the fraction of the difference to the expected place that is applied. */
const MIN_GAIN = 0.2;
/** Gain of the speed: the fraction of a correction of the place that is applied to it. */
const SPEED_GAIN = 0.7;
/** Minimum IoU of a track and a certain detection that makes the track certain. */
const CONFIRMING_IOU = 0.4;
/** Factor on the speed after each frame without a detection, so that a lost face slows down. */
const INERTIA = 0.92;

/** The expected place of a track in a frame after or before the one in which it was found. */
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
 * The track after a detection in `frame`: an alpha-beta filter (a Kalman filter with fixed gains) whose
 * gain grows with the difference. Small differences are mostly the finder's noise; real movements are
 * followed at once.
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
