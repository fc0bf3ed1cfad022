import { setTimeout as after } from 'node:timers/promises';
import { readFile, writeFile } from 'node:fs/promises';
import { compare, complaints, cutOff } from '../sources/verdict.js';
import { watchInFfmpeg, type Watched } from '../sources/watched.js';
import { cached } from '../support/clip-cache.js';
import { HEIGHT, soundingClip, WIDTH } from '../support/clips.js';
import { startLive, type LiveSession } from '../support/live-session.js';
import type { Stack } from '../support/stack.js';

/** A clip that hums and clicks, and its frames and clicks as ffmpeg plays them. */
export interface SoundingClip {
  webm: Buffer;
  source: Watched;
}

export async function makeSoundingClip(path: string, seconds: number): Promise<SoundingClip> {
  await soundingClip(path, seconds);
  const watched = `${path}.json`;
  await cached(`sounding-${seconds}.json`, watched, async (to) => {
    await writeFile(to, JSON.stringify(await watchInFfmpeg(path)));
  });
  const source = JSON.parse(await readFile(watched, 'utf8')) as Watched;
  return { webm: await readFile(path), source };
}

/** A live session of a marked clip, whose frames and audio can be checked. */
export interface MarkedSession extends LiveSession {
  /** Goes on for a while and ends; rejects with the reason unless all frames came once and in order. */
  endsInOrder: (afterParts?: number) => Promise<Watched>;
  /** The same; rejects, too, unless all audio came, in sync. */
  endsWhole: (afterParts?: number) => Promise<Watched>;
}

/** Starts a live session of a clip. */
export async function liveOf(stack: Stack, { webm, source }: SoundingClip): Promise<MarkedSession> {
  const session = await startWhenTaken(stack, webm);
  const endsInOrder = async (afterParts?: number) => {
    const frames = await session.end(afterParts);
    const watched = await session.viewer.watched();
    rejectIfAny([...strays(watched, frames), ...session.viewer.complaints]);
    return watched;
  };
  const endsWhole = async (afterParts?: number) => {
    const watched = await endsInOrder(afterParts);
    const wanted = { width: WIDTH, height: HEIGHT, hasSound: true };
    rejectIfAny(complaints(compare(cutOff(source, watched.frames.length), watched), wanted));
    return watched;
  };
  return { ...session, endsInOrder, endsWhole };
}

/**
 * Starts a session. For some seconds after an overload, as on a busy machine, the gateway refuses new ones.
 */
async function startWhenTaken(stack: Stack, webm: Buffer): Promise<LiveSession> {
  for (;;) {
    try {
      return await startLive(stack, webm);
    } catch (error) {
      if (!(error as Error).message.startsWith('overloaded: The face search')) throw error;
      await after(TRY_AGAIN_MS);
    }
  }
}

const TRY_AGAIN_MS = 500;

/** A complaint that names the first frame out of place; none if all came once and in order. */
function strays({ frames }: Watched, wanted: number): string[] {
  const numbers = frames.map(({ number }) => number);
  const first = numbers.findIndex((number, n) => number !== n);
  if (first === -1 && numbers.length === wanted) return [];
  return [`frame ${first} is number ${numbers[first]}; ${numbers.length} frames of ${wanted}`];
}

function rejectIfAny(problems: string[]): void {
  if (problems.length > 0) throw new Error(problems.join('; '));
}
