import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { SAMPLE_BYTES, SAMPLE_RATE } from '@facecast/shared/media/audio';
import { countedClip } from '@facecast/shared/testing/counted-clip';
import { onsets } from '@facecast/shared/testing/onsets';

export { countedClip };

export const FPS = 30;
export const SMALL = { width: 320, height: 240 };

const WEBM = ['-f', 'webm', '-live', '1', '-cluster_time_limit', '1000'];

/** As MediaRecorder writes it: VP8, a key frame a second, nothing held back, clusters of unknown size. */
export const VP8_WEBM = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M']
  .concat(['-g', '30', '-lag-in-frames', '0'])
  .concat(WEBM);

/** H.264 in fragments of a tenth of a second. */
export const H264_MP4 = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-tune',
  'zerolatency',
  '-g',
  '30',
].concat(['-movflags', '+empty_moov+default_base_moof', '-frag_duration', '100000', '-f', 'mp4']);

/** H.264 with frames that are not in the order in which they are shown. */
export const H264_REORDERED_MP4 = [
  '-c:v',
  'libx264',
  '-preset',
  'veryfast',
  '-sc_threshold',
  '0',
  '-bf',
  '3',
  '-g',
  '30',
].concat(['-movflags', '+empty_moov+default_base_moof+frag_keyframe', '-f', 'mp4']);

const REFRESHED = ['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency'].concat([
  ...['-x264-params', 'intra-refresh=1:keyint=60:scenecut=0'],
]);

/** H.264 without a key frame after the first: its picture is refreshed bit by bit. */
export const REFRESHED_MP4 = [...REFRESHED, ...H264_MP4.slice(H264_MP4.indexOf('-movflags'))];
export const REFRESHED_MKV = [...REFRESHED, '-f', 'matroska', '-live', '1'];

/** What ffmpeg writes to stdout with these arguments. */
export async function made(args: string[]): Promise<Buffer> {
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', ...args, 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return buffer(ffmpeg.stdout);
}

/** Cuts bytes into pieces of these sizes, the last size again and again. */
export function cut(bytes: Buffer, ...sizes: number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/**
 * A WebM as a camera writes it: frame N's timestamp is this expression in seconds (of N), rounded to
 * milliseconds, and no frame rate is in the header.
 */
export async function timedClip(frames: number, seconds: string): Promise<Buffer> {
  const clip = await countedClip(frames, VP8_WEBM, SMALL);
  const timestamps = ['-c', 'copy', '-bsf:v', `setts=ts=round(1000*(${seconds}))`];
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-i', '-', ...timestamps, ...WEBM, 'pipe:1'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  ffmpeg.stdin.end(clip);
  return withoutFrameRate(await buffer(ffmpeg.stdout));
}

function withoutFrameRate(webm: Buffer): Buffer {
  const at = webm.indexOf(DEFAULT_DURATION);
  const size = webm[at + DEFAULT_DURATION.length]! & 0x7f;
  // A Void element of the same length.
  webm[at] = 0xec;
  webm[at + 1] = 0x80 | (size + DEFAULT_DURATION.length - 1);
  return webm;
}

/** Element id (RFC 9559, section 5.1.4.1.13). */
const DEFAULT_DURATION = Buffer.from([0x23, 0xe3, 0x83]);

/** Seconds of a moving picture, and of audio that clicks at the beginning of each. */
export async function clickingClip(seconds: number, encoding: string[]): Promise<Buffer> {
  const picture = `testsrc2=size=160x120:rate=${FPS}:duration=${seconds}`;
  const click = `aevalsrc=0.6*lt(mod(t\\,1)\\,0.02)*sin(2*PI*3000*t):s=48000:d=${seconds}`;
  const inputs = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', click];
  const args = ['-v', 'error', ...inputs, '-pix_fmt', 'yuv420p', '-ac', '2'];
  const ffmpeg = spawn('ffmpeg', [...args, ...encoding, 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return buffer(ffmpeg.stdout);
}

/** When clicks begin in samples (`media/audio.ts` in shared), in seconds. */
export function clickOnsets(samples: Buffer): number[] {
  const left = Array.from({ length: samples.length / SAMPLE_BYTES }, (_, n) =>
    samples.readInt16LE(n * SAMPLE_BYTES),
  );
  return onsets(left, 0x2000, SAMPLE_RATE / 2).map((n) => n / SAMPLE_RATE);
}
