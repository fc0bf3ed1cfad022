import type { Plane } from '../i420.js';
import type { Knowledge } from './knowledge.js';
import { changedParts, looksOf } from './looks.js';
import type { Pace } from './pace.js';
import { seenAfter, type SeenFace, type Sighting } from './sighting.js';

/** How far the place of a face can be off where nobody looked for it, as a part of its width, */
const MARGIN = 0.4;
/** and with the square of the frames since it was found: it may turn back. */
const MARGIN_TURNING_BACK = 0.08;

/**
 * What a frame shows that was not searched: the known faces, anywhere near; and, where faces are to be
 * hidden, whatever else has changed, for that may be one that enters.
 */
export function unsearched(
  known: Knowledge | undefined,
  picture: Plane,
  frame: number,
  pace: Pace,
): Sighting {
  if (!known || Math.abs(frame - known.searchedWhole) > pace.hold)
    return { searched: false, faces: undefined };
  const faces = known.tracks.map((track) => {
    const face = seenAfter(track, frame, known, pace);
    const margin = MARGIN + MARGIN_TURNING_BACK * (frame - track.foundIn) ** 2;
    return { ...face, margin: face.margin + margin * face.width };
  });
  const changed = known.hidden ? possibleFaces(picture, faces, known.looks, known.nextId) : [];
  return { searched: false, faces: [...faces, ...changed] };
}

/**
 * What of a picture differs from the looks of one that was searched, beside these faces. The ellipse
 * around the head of a face that fills a place covers all of that place.
 */
export function possibleFaces(
  picture: Plane,
  faces: readonly SeenFace[],
  looks: string,
  id: number,
): SeenFace[] {
  return changedParts(looksOf(picture), looks, faces, picture).map((place) => {
    return { id, ...place, score: 0, sure: false, margin: 0 };
  });
}
