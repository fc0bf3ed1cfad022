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

/**
 * Begins a live session of a clip. `endsWhole` goes on for a while, ends it, and looks whether all frames
 * came once and in order, and all of the sound, in time with them.
 */
export async function liveOf(
  stack: Stack,
  { webm, source }: SoundingClip,
): Promise<LiveSession & { endsWhole: (afterParts?: number) => Promise<void> }> {
  const session = await startLive(stack, webm);
  const endsWhole = async (afterParts?: number) => {
    const frames = await session.end(afterParts);
    const watched = await session.viewer.watched();
    const numbers = watched.frames.map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: frames }, (_, n) => n));
    const wanted = { width: WIDTH, height: HEIGHT, hasSound: true };
    expect(complaints(compare(cutOff(source, frames), watched), wanted)).toEqual([]);
    expect(session.viewer.complaints).toEqual([]);
  };
  return { ...session, endsWhole };
}
