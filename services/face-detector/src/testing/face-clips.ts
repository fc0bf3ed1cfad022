import type { Size } from '@facecast/shared/media/size';
import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { once } from 'node:events';
import { frameBytes } from '@facecast/shared/media/frame-store';
import type { Rect } from '../geometry/rect.js';
import { framesOf, type I420Frame, type Plane } from '../i420.js';

/** Clips for the tests, made with ffmpeg from the pictures in tests/fixtures. */

export const VGA: Size = { width: 640, height: 480 };

/** A clip as the frame-extractor would write it: plain I420 frames, one after another. */
export interface Clip extends Size {
  bytes: Buffer;
  frames: I420Frame[];
}

/** The face in astronaut.jpg, from brows to chin and from ear to ear, in pixels of that picture. */
export const FACE = { x: 176, y: 66, size: 95 };
/** The head and shoulders are this part of it. */
const PORTRAIT = { x: 64, y: 0, size: 320 };

const fixture = (name: string) =>
  new URL(`../../../../tests/fixtures/${name}`, import.meta.url).pathname;

/**
 * The portrait, scaled so that its face has `faceSize` pixels, moves to and fro over a photograph of
 * coffee. `places[n]` is where the face is in frame n.
 */
export async function movingFace(
  count: number,
  faceSize: number,
  size: Size = VGA,
): Promise<Clip & { places: Rect[] }> {
  const scale = faceSize / FACE.size;
  const side = 2 * Math.round((PORTRAIT.size * scale) / 2);
  const roomX = size.width - side;
  const roomY = size.height - side;
  const left = (n: number) => Math.trunc((roomX / 2) * (1 + Math.sin(n / 20)));
  const top = (n: number) => Math.trunc((roomY / 2) * (1 + Math.sin(n / 33)));
  const clip = await record(size, count, [
    ...['-loop', '1', '-framerate', '30', '-i', fixture('coffee.jpg')],
    ...['-loop', '1', '-framerate', '30', '-i', fixture('astronaut.jpg')],
    '-filter_complex',
    `[0]scale=${size.width}:${size.height},format=yuv444p[under];` +
      `[1]crop=${PORTRAIT.size}:${PORTRAIT.size}:${PORTRAIT.x}:${PORTRAIT.y},` +
      `scale=${side}:${side},format=yuv444p[over];` +
      // `t`, because overlay's `n` is 1 in the first frame.
      `[under][over]overlay=format=yuv444:eval=frame` +
      `:x='trunc(${roomX / 2}*(1+sin(30*t/20)))':y='trunc(${roomY / 2}*(1+sin(30*t/33)))'`,
  ]);
  const places = clip.frames.map((_, n) => ({
    x: left(n) + (FACE.x - PORTRAIT.x) * scale,
    y: top(n) + (FACE.y - PORTRAIT.y) * scale,
    width: faceSize,
    height: faceSize,
  }));
  return { ...clip, places };
}

/** The grey levels of a picture of tests/fixtures, stretched to this size. */
export async function photograph(name: string, size: Size): Promise<Plane> {
  const scaled = `scale=${size.width}:${size.height}`;
  const { frames } = await record(size, 1, ['-i', fixture(name), '-vf', scaled]);
  return frames[0]!.y;
}

/** A picture of tests/fixtures, slowly zoomed into. */
export async function zoomInto(name: string, count: number, size: Size = VGA): Promise<Clip> {
  return record(size, count, [
    ...['-loop', '1', '-framerate', '30', '-i', fixture(name)],
    '-vf',
    `scale=w='${size.width}*(1+n/200)':h='${size.height}*(1+n/200)':eval=frame,` +
      `crop=${size.width}:${size.height}`,
  ]);
}

/** ffmpeg's test pattern: texture, text and motion. */
export async function testPattern(count: number, size: Size = VGA): Promise<Clip> {
  return record(size, count, [
    ...['-f', 'lavfi', '-i', `testsrc2=size=${size.width}x${size.height}:rate=30`],
  ]);
}

async function record(size: Size, count: number, args: string[]): Promise<Clip> {
  const raw = ['-frames:v', String(count), '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'];
  const ffmpeg = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args, ...raw], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(ffmpeg, 'close');
  const bytes = await buffer(ffmpeg.stdout);
  const [code] = (await closed) as [number];
  if (code !== 0 || bytes.length !== count * frameBytes(size.width, size.height))
    throw new Error(`ffmpeg made ${bytes.length} bytes and ended with ${code}`);
  return { ...size, bytes, frames: framesOf(bytes, { frameCount: count, ...size }) };
}
