import { faceSchema } from '@facecast/shared/messages';
import { z } from 'zod';
import type { Find, Place } from './face-finder.js';
import { overlap } from './place.js';

/**
 * A face that is followed from frame to frame. Its box is smoothed, `score` is that of its newest
 * find. It goes through Redis from replica to replica.
 */
export const trackSchema = faceSchema.extend({
  /** Whether it was ever surely a face; if not it is hidden, but not called one. */
  sure: z.boolean(),
  /** How the middle of the box moves, in pixels a frame. */
  dx: z.number(),
  dy: z.number(),
  /** The last frame in which it was really found. */
  foundIn: z.number().int().nonnegative(),
});
export type Track = z.infer<typeof trackSchema>;

/** A find that is so many widths away from where it was expected is where it is, not smoothed. */
const JUMP = 0.08;
/** The same for a change of size. */
const RESIZE = 0.15;
/** What is taken at least of a difference. */
const LEAST_GAIN = 0.2;
/** What the speed takes of it. */
const SPEED_GAIN = 0.7;
/** What may be a face surely is one when a face is found that shares so much with its place. */
const CONFIRMING_OVERLAP = 0.5;
/** What is left of a speed after a frame without a find: who turns away comes to a stop. */
const INERTIA = 0.92;

/** Where the face of a track should be in a frame, after or before the one in which it was found. */
export function expectedIn(track: Track, frame: number): Place {
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
 * The track after a find in `frame`. Where the find is close to what was expected, most of the
 * difference is the finder's own unsteadiness and little of it is taken; what really moves is followed
 * at once.
 */
export function followed(track: Track, find: Find, frame: number): Track {
  const expected = expectedIn(track, frame);
  const right = find.x + find.width / 2 - expected.x - expected.width / 2;
  const down = find.y + find.height / 2 - expected.y - expected.height / 2;
  const gain = gainOf(Math.hypot(right, down) / track.width, JUMP);
  const grow = gainOf(Math.abs(find.width - track.width) / track.width, RESIZE);
  const width = track.width + grow * (find.width - track.width);
  const height = track.height + grow * (find.height - track.height);
  const frames = frame - track.foundIn;
  const speedGain = frames === 0 ? 0 : (gain * SPEED_GAIN) / frames;
  return {
    id: track.id,
    x: expected.x + expected.width / 2 + gain * right - width / 2,
    y: expected.y + expected.height / 2 + gain * down - height / 2,
    ...{ width, height },
    score: find.score,
    sure: track.sure || (find.sure && overlap(find, expected) > CONFIRMING_OVERLAP),
    dx: track.dx + speedGain * right,
    dy: track.dy + speedGain * down,
    foundIn: frame,
  };
}

/** A part of the way from one place to another; `part` is 0 at the first. */
export function between(from: Place, to: Place, part: number): Place {
  const mix = (a: number, b: number) => a + (b - a) * part;
  return {
    x: mix(from.x, to.x),
    y: mix(from.y, to.y),
    width: mix(from.width, to.width),
    height: mix(from.height, to.height),
  };
}

function gainOf(difference: number, full: number): number {
  return Math.min(1, Math.max(LEAST_GAIN, difference / full));
}
