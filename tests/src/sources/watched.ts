import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onsets } from '@facecast/shared/testing/onsets';

const run = promisify(execFile);
const MOST_BYTES = 64 * 1024 * 1024;
const SAMPLE_RATE = 48_000;
const BITS = 16;
/** Of the middle of a picture, between the gradient's and white. */
const WHITE = 170;

/** One frame of a marked clip, as a player shows it. */
export interface WatchedFrame {
  /** Of the player's time line. */
  seconds: number;
  number: number;
  isWhite: boolean;
}

/** What a player makes of a stream. */
export interface Watched {
  width: number;
  height: number;
  frames: WatchedFrame[];
  /** When clicks begin, in seconds of the same time line; undefined where there is no sound. */
  clicks: number[] | undefined;
}

/** The first frame of each flash. */
export function flashes({ frames }: Pick<Watched, 'frames'>): WatchedFrame[] {
  return frames.filter(({ isWhite }, n) => isWhite && !frames[n - 1]?.isWhite);
}

/** The top edge's squares as one pixel each, and the middle as one. */
const MARKS = [
  'format=gray,split[whole][again]',
  `[whole]crop=iw:max(2\\,2*floor(iw/32)):0:0,scale=${BITS}:1:flags=neighbor[counter]`,
  '[again]crop=iw/2:ih/2,scale=1:1:flags=area[light]',
  '[counter][light]hstack',
].join(';');

/** Plays a marked clip, in a file or a playlist, in ffmpeg. */
export async function watchInFfmpeg(url: string): Promise<Watched> {
  const { streams, frames: times } = await probe(url);
  const video = streams.find(({ codec_type }) => codec_type === 'video');
  const sound = streams.find(({ codec_type }) => codec_type === 'audio');
  const { width = 0, height = 0 } = video ?? {};
  const output = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray'];
  const seen = await decode(url, [
    '-map',
    '0:v:0',
    '-filter_complex',
    `[0:v:0]${MARKS}`,
    ...output,
  ]);
  const frames = times.map(({ best_effort_timestamp_time }, n) => {
    const bytes = seen.subarray(n * (BITS + 1), (n + 1) * (BITS + 1));
    const number = bytes.subarray(0, BITS).reduce((sum, bit) => 2 * sum + (bit > 125 ? 1 : 0), 0);
    const seconds = Number(best_effort_timestamp_time);
    return { seconds, number, isWhite: (bytes[BITS] ?? 0) > WHITE };
  });
  if (seen.length !== frames.length * (BITS + 1))
    throw new Error(`ffmpeg shows ${seen.length / (BITS + 1)} frames of ${frames.length}`);
  return { width, height, frames, clicks: sound && (await clicksIn(url)) };
}

async function clicksIn(url: string): Promise<number[]> {
  // The first sample is the one of time 0, and gaps are silence.
  const timed = `aresample=${SAMPLE_RATE}:async=1:first_pts=0`;
  const pcm = await decode(url, ['-map', '0:a:0', '-af', timed, '-ac', '1', '-f', 's16le']);
  const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1);
  return onsets(samples, 0x1800, SAMPLE_RATE / 2).map((n) => n / SAMPLE_RATE);
}

interface Probed {
  streams: { codec_type: string; width?: number; height?: number }[];
  frames: { best_effort_timestamp_time: string }[];
}

async function probe(url: string): Promise<Probed> {
  const show = 'stream=codec_type,width,height:frame=best_effort_timestamp_time';
  const only = ['-select_streams', 'v', '-of', 'json'];
  const frames = await ffprobe(['-show_frames', ...only, '-show_entries', show, url]);
  const { streams } = await ffprobe(['-show_streams', '-of', 'json', url]);
  return { streams, frames: frames.frames };
}

async function ffprobe(args: string[]): Promise<Probed> {
  const { stdout } = await run('ffprobe', ['-v', 'error', ...args], { maxBuffer: MOST_BYTES });
  return JSON.parse(stdout) as Probed;
}

async function decode(url: string, output: string[]): Promise<Buffer> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-copyts', '-i', url, ...output, '-'], {
    encoding: 'buffer',
    maxBuffer: MOST_BYTES,
  });
  return stdout;
}
