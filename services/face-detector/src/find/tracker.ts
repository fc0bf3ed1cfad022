import { faceSchema, type Face } from '@facecast/shared/messages';
import { z } from 'zod';
import type { Plane } from '../i420.js';
import type { FaceFinder } from './face-finder.js';
import { isSameFace } from './same-face.js';

/** More faces than this in one frame are not followed. */
export const MAX_FACES = 64;

const frameNumber = z.number().int().nonnegative();

/** What is known of a session's faces after one of its frames. */
export const knowledgeSchema = z.object({
  /** Size of the picture that it is about. */
  width: z.number(),
  height: z.number(),
  /** The last frame that was searched as a whole. */
  searchedWhole: frameNumber,
  /** The faces, each with the last frame in which it was really found. */
  faces: z.array(z.object({ face: faceSchema, foundIn: frameNumber })).max(MAX_FACES),
});
export type Knowledge = z.infer<typeof knowledgeSchema>;
type KnownFace = Knowledge['faces'][number];

/** How a session's frames are searched; both in frames. */
export interface Pace {
  /** A search of the whole picture is due after so many. */
  wholeEvery: number;
  /** A face that is not found keeps its place for so many. */
  hold: number;
}

/** A face that enters is looked for so often, in seconds. */
const WHOLE_EVERY_SECONDS = 1 / 3;
/** A face that turns away for so long is still taken for being there, in seconds. */
const HOLD_SECONDS = 1 / 2;

/** The pace of sessions with so many frames a second. */
export function paceAt(fps: number): Pace {
  return {
    wholeEvery: Math.max(1, Math.floor(fps * WHOLE_EVERY_SECONDS)),
    hold: Math.ceil(fps * HOLD_SECONDS),
  };
}

/** So many known faces are looked for in one frame; where there are more they take turns. */
const MOST_NEAR_SEARCHES = 8;

/**
 * Searches one frame, as a whole or only near the faces that are known, and answers what is known
 * then: `faces` are those of this frame. It changes nothing; a replica can go on from the knowledge
 * of another.
 *
 * @param frame number of the frame within its session
 * @param known from a frame near this one, before it or after it, or undefined
 */
export async function searchFrame(
  finder: FaceFinder,
  picture: Plane,
  frame: number,
  known: Knowledge | undefined,
  pace: Pace,
): Promise<Knowledge> {
  const { width, height } = picture;
  const before = known?.width === width && known.height === height ? known : undefined;
  const isWhole = !before || Math.abs(frame - before.searchedWhole) >= pace.wholeEvery;
  const found: Face[] = [];
  const lost: KnownFace[] = [];

  const longestUnseenFirst = [...(before?.faces ?? [])].sort((a, b) => a.foundIn - b.foundIn);
  for (const [n, one] of longestUnseenFirst.entries()) {
    const face = n < MOST_NEAR_SEARCHES && (await finder.findNear(picture, one.face));
    if (!face) lost.push(one);
    else if (!isAmong(found, face)) found.push(face);
  }
  if (isWhole) found.push(...(await finder.findOthers(picture, found)));

  const held = lost.filter(
    ({ face, foundIn }) => Math.abs(frame - foundIn) <= pace.hold && !isAmong(found, face),
  );
  return {
    width,
    height,
    searchedWhole: isWhole ? frame : before.searchedWhole,
    faces: [...found.map((face) => ({ face, foundIn: frame })), ...held].slice(0, MAX_FACES),
  };
}

/** Whether the whole picture was searched so near to `frame` that no face can be far from its place. */
export function isRecent(known: Knowledge, frame: number, pace: Pace): boolean {
  return Math.abs(frame - known.searchedWhole) <= pace.hold;
}

function isAmong(faces: Face[], face: Face): boolean {
  return faces.some((other) => isSameFace(other, face));
}
