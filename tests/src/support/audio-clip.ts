import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onsets } from '@facecast/shared/testing/onsets';
import { cached } from './clip-cache.js';

const run = promisify(execFile);
const MAX_BYTES = 256 * 1024 * 1024;
const FPS = 30;
const SAMPLE_RATE = 48_000;

/** A WebM (VP8, Opus), with a white picture and a click in the middle of each second. */
export async function flashAndClickClip(path: string, seconds: number): Promise<void> {
  const dark = `color=c=black:size=320x240:rate=${FPS}:duration=${seconds}`;
  const flash = `drawbox=c=white:t=fill:enable='lt(mod(n+${FPS / 2},${FPS}),1)'`;
  const click = `aevalsrc=0.6*lt(mod(t+0.5\\,1)\\,0.02)*sin(2*PI*3000*t):s=${SAMPLE_RATE}:d=${seconds}`;
  const inputs = ['-f', 'lavfi', '-i', dark, '-f', 'lavfi', '-i', click, '-vf', flash];
  const encoding = ['-c:v', 'libvpx', '-deadline', 'realtime', '-g', `${FPS}`, '-c:a', 'libopus'];
  const container = ['-f', 'webm', '-cluster_time_limit', '100', '-live', '1'];
  await cached(`clicks-${seconds}.webm`, path, async (to) => {
    await run('ffmpeg', ['-v', 'error', '-y', ...inputs, ...encoding, ...container, to]);
  });
}

/** Times of the flashes and clicks when ffmpeg plays a stream, in seconds of the time line. */
export async function flashesAndClicks(
  url: string,
): Promise<{ flashes: number[]; clicks: number[] }> {
  const [picturesFrom, soundFrom] = await Promise.all([startOf(url, 'v:0'), startOf(url, 'a:0')]);
  const gray = ['-map', '0:v:0', '-vf', 'scale=1:1,format=gray', '-fps_mode', 'passthrough'];
  const luma = await decode(url, [...gray, '-f', 'rawvideo']);
  const pcm = await decode(url, ['-map', '0:a:0', '-ac', '1', '-f', 's16le']);
  const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1);
  return {
    flashes: onsets(luma, 128, FPS / 2).map((n) => picturesFrom + n / FPS),
    clicks: onsets(samples, 0x2000, SAMPLE_RATE / 2).map((n) => soundFrom + n / SAMPLE_RATE),
  };
}

async function startOf(url: string, stream: string): Promise<number> {
  const which = ['-v', 'error', '-select_streams', stream, '-show_entries', 'stream=start_time'];
  const { stdout } = await run('ffprobe', [...which, '-of', 'csv=p=0', url]);
  return Number.parseFloat(stdout);
}

async function decode(url: string, output: string[]): Promise<Buffer> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', url, ...output, '-'], {
    encoding: 'buffer',
    maxBuffer: MAX_BYTES,
  });
  return stdout;
}
