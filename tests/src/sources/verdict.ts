import { flashes, SILENT_END, type Watched, type WatchedFrame } from './watched.js';

/** Frame rate of the session. */
const FPS = 30;
/** How many frames of the session a frame may be early or late: cameras are uneven. */
const TOLERANCE = 1.1;

/** How a session differs from its source. */
export interface Verdict {
  width: number;
  height: number;
  frames: number;
  /** How many frames the session has beyond the length of its source. */
  tooMany: number;
  /** Number of the source's frames that last longer than one of the session's and are missing. */
  missing: number;
  /** Number of frames that are older than the one before them. */
  backwards: number;
  /** Largest distance of a frame from its time in the source, in ms. */
  offMs: number;
  /** Largest distance of a click from its flash beyond that in the source, in ms; undefined without audio. */
  soundOffMs: number | undefined;
  /** Longest silence beyond that in the source, in ms. */
  silenceMs: number;
  /** How much earlier the audio ends than the video, in ms; 0 if unknown. */
  endsEarlyMs: number;
}

/**
 * Compares what a player shows with the source.
 * @param source the source as ffmpeg plays it, or as it should be
 */
export function compare(source: Watched, played: Watched): Verdict {
  const { width, height, frames, clicks, soundEnd = Infinity } = played;
  const numbers = frames.map(({ number }) => number);
  const shown = new Set(numbers);
  // The duration of the last frame is unknown.
  const durations = source.frames.map(
    ({ seconds }, n) => (source.frames[n + 1]?.seconds ?? seconds) - seconds,
  );
  return {
    ...{ width, height, frames: frames.length },
    tooMany: frames.length - Math.round((length(source) + held(source)) * FPS) - 1,
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

/** The faults in words; none if the session is as it should be. */
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

/** The source of a session that was stopped after `frames` frames, at 30 a second. */
export function cutOff(source: Watched, frames: number): Watched {
  // At the very end the session may have a flash without its click.
  const isHeard = (n: number) => n < frames - FPS / 3;
  return {
    ...source,
    frames: source.frames
      .slice(0, frames)
      .map((frame, n) => ({ ...frame, isWhite: frame.isWhite && isHeard(n) })),
  };
}

/** How a session should look. */
export interface Wanted {
  width: number;
  height: number;
  hasSound: boolean;
}

/** Maximum offset between audio and video that the contract allows. */
const IN_SYNC_MS = 40;

/** Time from the first frame to the last, in seconds. */
function length({ frames }: Watched): number {
  return (frames.at(-1)?.seconds ?? NaN) - (frames[0]?.seconds ?? NaN);
}

/**
 * How much longer than a frame the last picture is held, in seconds: as long as the one before it, at most
 * a second.
 */
function held({ frames }: Watched): number {
  const [before, last] = frames.slice(-2).map(({ seconds }) => seconds);
  const gap = Math.min(1, (last ?? NaN) - (before ?? NaN));
  return gap * FPS >= STANDS_STILL_FRAMES ? gap - 1 / FPS : 0;
}

/** A gap of at least this many frames counts as standing still. */
const STANDS_STILL_FRAMES = 3;

/** Distance of a frame from the time in which its source shows it, in seconds. */
function distance(source: Watched, played: Watched, { seconds, number }: WatchedFrame): number {
  const n = source.frames.findIndex((frame) => frame.number === number);
  const first = source.frames[0]?.seconds ?? NaN;
  const time = seconds - (played.frames[0]?.seconds ?? NaN);
  const from = (source.frames[n]?.seconds ?? NaN) - first;
  const to = (source.frames[n + 1]?.seconds ?? Infinity) - first;
  return Math.max(0, from - time, time - to);
}

/**
 * Distances of clicks from their flashes beyond those in the source, in ms; Infinity for a click that is
 * missing. Measured from the frame that is shown as the flash's first: one that lasts less than a frame of
 * the session may be left out.
 */
function soundOffsets(source: Watched, played: Watched): number[] {
  const inPlayed = new Map(heardFlashes(played).map((heard) => [heard.second, heard]));
  const all = heardFlashes(source).map(({ second, click }) => {
    const shown = inPlayed.get(second);
    const first = source.frames.find(({ number }) => number === shown?.number);
    if (!shown || !first) return Infinity;
    return Math.abs(1000 * (shown.click - shown.seconds - (click - first.seconds)));
  });
  return all.length > 0 ? all : [Infinity];
}

/** A flash with its click. */
interface HeardFlash extends WatchedFrame {
  /** The second of the source in which the flash is. */
  second: number;
  /** Time of the click, in seconds. */
  click: number;
}

function heardFlashes(watched: Watched): HeardFlash[] {
  const clicks = watched.clicks ?? [];
  return flashes(watched).flatMap((flash) => {
    const near = clicks.filter((click) => Math.abs(click - flash.seconds) < 0.5);
    if (near.length !== 1) return [];
    return [{ ...flash, second: Math.floor(flash.number / FPS), click: near[0]! }];
  });
}
