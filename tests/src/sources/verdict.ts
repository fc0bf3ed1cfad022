import { flashes, SILENT_END, type Watched, type WatchedFrame } from './watched.js';

/** The session's rate. */
const FPS = 30;
/** A frame may be so many frames of the session early or late: cameras are uneven. */
const TOLERANCE = 1.1;

/** How a session differs from its source. */
export interface Verdict {
  width: number;
  height: number;
  frames: number;
  /** How many more frames there are than the source is long. */
  tooMany: number;
  /** Frames of the source that are shown for longer than one of the session and are not there. */
  missing: number;
  /** Frames that show what is older than the one before them. */
  backwards: number;
  /** How far the worst frame is from its time in the source, in ms. */
  offMs: number;
  /** How far the worst click is from its flash, in ms, more than in the source; undefined without sound. */
  soundOffMs: number | undefined;
  /** For how long nothing is heard at most, in ms, more than in the source. */
  silenceMs: number;
  /** How much earlier the sound ends than the pictures, in ms, as far as that is known. */
  endsEarlyMs: number;
}

/**
 * Compares what a player shows with the recording.
 * @param source the recording itself, or what it should be
 */
export function compare(source: Watched, played: Watched): Verdict {
  const { width, height, frames, clicks, soundEnd = Infinity } = played;
  const numbers = frames.map(({ number }) => number);
  const shown = new Set(numbers);
  // How long the last one is, nobody says.
  const durations = source.frames.map(
    ({ seconds }, n) => (source.frames[n + 1]?.seconds ?? seconds) - seconds,
  );
  return {
    ...{ width, height, frames: frames.length },
    tooMany: frames.length - Math.round(length(source) * FPS) - 1,
    missing: source.frames.filter(
      ({ number }, n) => durations[n]! > 0.95 / FPS && !shown.has(number),
    ).length,
    backwards: numbers.filter((number, n) => number < (numbers[n - 1] ?? 0)).length,
    offMs: Math.max(...frames.map((frame) => 1000 * distance(source, played, frame))),
    soundOffMs: clicks && Math.max(...soundOffsets(source, played)),
    endsEarlyMs: 1000 * ((frames.at(-1)?.seconds ?? NaN) + 1 / FPS - soundEnd),
    silenceMs: 1000 * ((played.longestSilence ?? 0) - (source.longestSilence ?? 0)),
  };
}

/** What is wrong, in words; nothing where a session is as it should be. */
export function complaints(verdict: Verdict, wanted: Wanted): string[] {
  const { width, height, tooMany, missing, backwards, offMs, soundOffMs, silenceMs, endsEarlyMs } =
    verdict;
  const wrong: [boolean, string][] = [
    [width !== wanted.width || height !== wanted.height, `${width}x${height}`],
    [missing > 0, `${missing} frames missing`],
    [backwards > 0, `${backwards} frames out of order`],
    [Math.abs(tooMany) > 1, `${tooMany} frames too many`],
    [offMs > (1000 * TOLERANCE) / FPS + 1, `a frame ${Math.round(offMs)} ms off`],
    [wanted.hasSound !== (soundOffMs !== undefined), wanted.hasSound ? 'no sound' : 'sound'],
    [!((soundOffMs ?? 0) < IN_SYNC_MS), `sound ${Math.round(soundOffMs ?? 0)} ms off`],
    [endsEarlyMs > 1000 * SILENT_END, `sound ends ${Math.round(endsEarlyMs)} ms early`],
    [silenceMs > IN_SYNC_MS, `no sound for ${Math.round(silenceMs)} ms`],
  ];
  return wrong.filter(([isWrong]) => isWrong).map(([, words]) => words);
}

/** The source of a session that was stopped after so many frames, at 30 a second. */
export function cutOff(source: Watched, frames: number): Watched {
  // Of a click at the very end, the recording may have the picture and not the sound.
  const isHeard = (n: number) => n < frames - FPS / 3;
  return {
    ...source,
    frames: source.frames
      .slice(0, frames)
      .map((frame, n) => ({ ...frame, isWhite: frame.isWhite && isHeard(n) })),
  };
}

/** What a session should be. */
export interface Wanted {
  width: number;
  height: number;
  hasSound: boolean;
}

/** What the contract promises. */
const IN_SYNC_MS = 40;

/** From the first frame to the last, in seconds. */
function length({ frames }: Watched): number {
  return (frames.at(-1)?.seconds ?? NaN) - (frames[0]?.seconds ?? NaN);
}

/** How many seconds a frame is from the time for which its source shows it. */
function distance(source: Watched, played: Watched, { seconds, number }: WatchedFrame): number {
  const n = source.frames.findIndex((frame) => frame.number === number);
  const first = source.frames[0]?.seconds ?? NaN;
  const time = seconds - (played.frames[0]?.seconds ?? NaN);
  const from = (source.frames[n]?.seconds ?? NaN) - first;
  const to = (source.frames[n + 1]?.seconds ?? Infinity) - first;
  return Math.max(0, from - time, time - to);
}

/** How far clicks are from their flashes, more than in the source, in ms; Infinity where one is not heard. */
function soundOffsets(source: Watched, played: Watched): number[] {
  const inPlayed = new Map(offsets(played));
  const all = offsets(source).map(([second, offset]) =>
    Math.abs(1000 * ((inPlayed.get(second) ?? Infinity) - offset)),
  );
  return all.length > 0 ? all : [Infinity];
}

/** From each flash, by the second of the source in which it is, to its click, in seconds. */
function offsets(watched: Watched): [number, number][] {
  const clicks = watched.clicks ?? [];
  return flashes(watched).flatMap(({ seconds, number }) => {
    const near = clicks.filter((click) => Math.abs(click - seconds) < 0.5);
    return near.length === 1 ? [[Math.floor(number / FPS), near[0]! - seconds]] : [];
  });
}
