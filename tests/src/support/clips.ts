import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { countedClip as counted } from '@facecast/shared/testing/counted-clip';
import { markedClip } from '../sources/marked-clip.js';
import { cached } from './clip-cache.js';

/** Video clips made at test time. All are 640x480 at 30 frames a second. */
export const WIDTH = 640;
export const HEIGHT = 480;

const FIXTURES = new URL('../../fixtures/', import.meta.url).pathname;

/** Encoder arguments as MediaRecorder uses them: real time, no frames held back, a key frame a second. */
export const VP8 = [
  '-c:v',
  'libvpx',
  '-deadline',
  'realtime',
  '-cpu-used',
  '8',
  '-b:v',
  '2M',
  '-g',
  '30',
];
/** Muxer arguments for a WebM as MediaRecorder writes it: live, a cluster each tenth of a second. */
export const WEBM = ['-f', 'webm', '-cluster_time_limit', '100', '-live', '1'];

/** A WebM (VP8) whose frame n has the number n burnt in. */
export async function countedClip(path: string, frames: number): Promise<void> {
  await cached(`counted-${frames}.webm`, path, async (to) => {
    await writeFile(to, await counted(frames, [...VP8, ...WEBM], { width: WIDTH, height: HEIGHT }));
  });
}

/**
 * A WebM (VP8, Opus) of counted frames that hums, with a click and a white picture in the middle of each
 * second.
 */
export async function soundingClip(path: string, seconds: number): Promise<void> {
  const marks = { width: WIDTH, height: HEIGHT, fps: 30, seconds, hums: true };
  await cached(`sounding-${seconds}.webm`, path, (to) =>
    markedClip(to, marks, [...VP8, '-c:a', 'libopus', ...WEBM]),
  );
}

/** A rectangle in pixels. */
export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where the face is in frame n of `faceClip`: what a frontal finder should outline. */
export function facePlace(n: number): Place {
  const left = 100 + 100 * Math.sin(n / 30);
  return { x: left + FACE.x, y: 20 + FACE.y, width: FACE.width, height: FACE.height };
}

/** The face in the fixture scaled to 400x400: eyebrows to chin, ear to ear. */
const FACE = { x: 137, y: 51, width: 70, height: 70 };

/** A WebM (VP8) in which a face moves left and right before a plain background. */
export async function faceClip(path: string, seconds: number): Promise<void> {
  await moving('astronaut.jpg', seconds, 'webm', path);
}

/** A WebM (VP8, Opus) in which a face moves left and right, with a tone that rises. */
export async function soundingFaceClip(path: string, seconds: number): Promise<void> {
  await moving('astronaut.jpg', seconds, 'sounding', path);
}

/** A face that moves left and right, as MJPEG, which Chromium loops as a camera's pictures. */
export async function faceCamera(path: string, seconds: number): Promise<void> {
  await moving('astronaut.jpg', seconds, 'mjpeg', path);
}

/** A WebM (VP8) without a human face: a cat moves left and right. */
export async function facelessClip(path: string, seconds: number): Promise<void> {
  await moving('cat.jpg', seconds, 'webm', path);
}

const ENCODINGS = {
  webm: [...VP8, ...WEBM],
  sounding: [...VP8, '-c:a', 'libopus', ...WEBM],
  mjpeg: ['-c:v', 'mjpeg', '-q:v', '2', '-f', 'mjpeg'],
};

async function moving(
  fixture: string,
  seconds: number,
  encoding: keyof typeof ENCODINGS,
  path: string,
): Promise<void> {
  const background = `color=c=0x406080:size=640x480:rate=30:duration=${seconds}`;
  const inputs = ['-f', 'lavfi', '-i', background, '-i', `${FIXTURES}${fixture}`];
  // `overlay` repeats the single picture.
  const overlay = `[1]scale=400:400[picture];[0][picture]overlay=x='100+100*sin(t)':y=20:eval=frame`;
  const tone = `;aevalsrc=0.5*sin(2*PI*(300+100*t)*t):s=48000:d=${seconds}`;
  const filters = encoding === 'sounding' ? overlay + tone : overlay;
  const output = ['-filter_complex', filters, ...ENCODINGS[encoding]];
  await cached(`${fixture}-${seconds}.${encoding}`, path, (to) =>
    succeeded(run([...inputs, ...output, to])),
  );
}

function run(args: string[]) {
  return spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function succeeded(ffmpeg: ReturnType<typeof run>): Promise<void> {
  const [code] = (await once(ffmpeg, 'close')) as [number];
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}`);
}
