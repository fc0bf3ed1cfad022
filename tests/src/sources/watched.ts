import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onsets } from '@facecast/shared/testing/onsets';

const run = promisify(execFile);
const MAX_BYTES = 64 * 1024 * 1024;
const SAMPLE_RATE = 48_000;
const BITS = 16;
/** Threshold for the middle of a picture, between the gradient's brightness and white. */
const WHITE = 170;
/** Thresholds for samples: between the hum and a click, and between silence and the hum. */
const CLICK = 0x1800;
const HUM = 0x100;
/**
 * How much of the end may be silent, in seconds. The audio encoder holds back less, which is lost if the
 * last part is listed before the end is known; and a cut input stream may lack its last audio.
 */
export const SILENT_END = 0.065;

/** One frame of a marked clip, as a player shows it. */
export interface WatchedFrame {
  /** Time on the player's time line, in seconds. */
  seconds: number;
  number: number;
  isWhite: boolean;
}

/** A stream as a player shows it. */
export interface Watched {
  width: number;
  height: number;
  frames: WatchedFrame[];
  /** Times at which clicks begin, in seconds of the same time line; undefined without audio. */
  clicks: number[] | undefined;
  /** Longest silence before the end, in seconds; undefined if not measured. */
  longestSilence?: number | undefined;
  /** Time at which the audio ends, in seconds; undefined if not measured. */
  soundEnd?: number | undefined;
}

/** The first frame of each flash. */
export function flashes({ frames }: Pick<Watched, 'frames'>): WatchedFrame[] {
  return frames.filter(({ isWhite }, n) => isWhite && !frames[n - 1]?.isWhite);
}

/** Filter that makes one pixel of each square at the top edge, and one of the middle. */
const MARKS = [
  '[0:v:0]showinfo=checksum=0,format=gray,split[whole][again]',
  `[whole]crop=iw:max(2\\,2*floor(iw/32)):0:0,scale=${BITS}:1:flags=neighbor[counter]`,
  '[again]crop=iw/2:ih/2,scale=1:1:flags=area[light]',
  '[counter][light]hstack',
].join(';');
const TIME = /^\[Parsed_showinfo.* pts_time:(\S+)/gm;

/**
 * Plays a marked clip in ffmpeg: a file, a playlist, or several files that follow each other on one
 * time line.
 */
export async function watchInFfmpeg(...urls: string[]): Promise<Watched> {
  const kinds = await streamsOf(urls[0] ?? '');
  const [frames, sounds] = await Promise.all([
    Promise.all(urls.map(framesIn)),
    kinds.has('audio') ? Promise.all(urls.map(samplesIn)) : undefined,
  ]);
  const { width = 0, height = 0 } = kinds.get('video') ?? {};
  return { width, height, frames: frames.flat(), clicks: undefined, ...(sounds && heard(sounds)) };
}

async function framesIn(url: string): Promise<WatchedFrame[]> {
  const output = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray'];
  const { bytes, log } = await decode(url, ['-filter_complex', MARKS, ...output]);
  const times = [...log.matchAll(TIME)].map(([, seconds]) => Number(seconds));
  if (bytes.length !== times.length * (BITS + 1))
    throw new Error(`ffmpeg shows ${bytes.length / (BITS + 1)} frames of ${times.length}`);
  return times.map((seconds, n) => {
    const marks = bytes.subarray(n * (BITS + 1), (n + 1) * (BITS + 1));
    const number = marks.subarray(0, BITS).reduce((sum, bit) => 2 * sum + (bit > 125 ? 1 : 0), 0);
    return { seconds, number, isWhite: (marks[BITS] ?? 0) > WHITE };
  });
}

/** The audio samples from time 0 on, with silence in gaps. */
async function samplesIn(url: string): Promise<Int16Array> {
  const timed = `aresample=${SAMPLE_RATE}:async=1:first_pts=0`;
  const { bytes } = await decode(url, ['-map', '0:a:0', '-af', timed, '-ac', '1', '-f', 's16le']);
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
}

/**
 * Clicks and silences of the audio. Every session has an audio track: one that is all silence counts as no
 * audio.
 */
function heard(sounds: Int16Array[]): Partial<Watched> {
  const samples = new Int16Array(Math.max(...sounds.map(({ length }) => length)));
  for (const sound of sounds) sound.forEach((value, n) => (samples[n]! += value));
  if (samples.every((value) => value === 0)) return {};
  const beforeEnd = samples.subarray(0, -SILENT_END * SAMPLE_RATE);
  return {
    clicks: onsets(samples, CLICK, SAMPLE_RATE / 2).map((n) => n / SAMPLE_RATE),
    longestSilence: longestBelow(beforeEnd, HUM) / SAMPLE_RATE,
    soundEnd: samples.length / SAMPLE_RATE,
  };
}

/** Length of the longest run of values whose magnitude is below `threshold`. */
function longestBelow(values: Int16Array, threshold: number): number {
  let [longest, length] = [0, 0];
  for (const value of values) {
    length = Math.abs(value) < threshold ? length + 1 : 0;
    longest = Math.max(longest, length);
  }
  return longest;
}

interface Stream {
  codec_type: string;
  width?: number;
  height?: number;
}

async function streamsOf(url: string): Promise<Map<string, Stream>> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', url]);
  const { streams } = JSON.parse(stdout) as { streams: Stream[] };
  return new Map(streams.reverse().map((stream) => [stream.codec_type, stream]));
}

async function decode(url: string, output: string[]): Promise<{ bytes: Buffer; log: string }> {
  const quiet = ['-hide_banner', '-nostats', '-v', 'info'];
  const { stdout, stderr } = await run('ffmpeg', [...quiet, '-copyts', '-i', url, ...output, '-'], {
    encoding: 'buffer',
    maxBuffer: MAX_BYTES,
  });
  return { bytes: stdout, log: stderr.toString() };
}
