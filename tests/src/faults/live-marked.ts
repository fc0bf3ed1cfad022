import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { compare, complaints, cutOff } from '../sources/verdict.js';
import { watchInFfmpeg, type Watched } from '../sources/watched.js';
import { HEIGHT, soundingClip, WIDTH } from '../support/clips.js';
import { startLive, type LiveSession } from '../support/live-session.js';
import type { Stack } from '../support/stack.js';

/** A clip that hums and clicks, and what it shows and lets be heard. */
export interface SoundingClip {
  webm: Buffer;
  source: Watched;
}

export async function makeSoundingClip(path: string, seconds: number): Promise<SoundingClip> {
  await soundingClip(path, seconds);
  return { webm: await readFile(path), source: await watchInFfmpeg(path) };
}

/** A live session of a clip that can be judged. */
export interface MarkedSession extends LiveSession {
  /** Goes on for a while, ends, and looks whether all frames came once and in order. */
  endsInOrder: (afterParts?: number) => Promise<Watched>;
  /** The same, and whether all of the sound came, in time with them. */
  endsWhole: (afterParts?: number) => Promise<void>;
}

/** Begins a live session of a clip. */
export async function liveOf(stack: Stack, { webm, source }: SoundingClip): Promise<MarkedSession> {
  const session = await startLive(stack, webm);
  const endsInOrder = async (afterParts?: number) => {
    const frames = await session.end(afterParts);
    const watched = await session.viewer.watched();
    const numbers = watched.frames.map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: frames }, (_, n) => n));
    expect(session.viewer.complaints).toEqual([]);
    return watched;
  };
  const endsWhole = async (afterParts?: number) => {
    const watched = await endsInOrder(afterParts);
    const wanted = { width: WIDTH, height: HEIGHT, hasSound: true };
    const whole = cutOff(source, watched.frames.length);
    expect(complaints(compare(whole, watched), wanted)).toEqual([]);
  };
  return { ...session, endsInOrder, endsWhole };
}
