import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import { HEIGHT, WIDTH, type Place } from './clips.js';

/** One played frame: packed RGB, 3 bytes a pixel, top left first. */
export interface PlayedFrame {
  rgb: Uint8Array;
  width: number;
  height: number;
}

/** Plays `url` in ffmpeg, frame by frame, without dropping or repeating any. */
export async function* playFrames(
  url: string,
  size: { width: number; height: number },
  input: string[] = [],
): AsyncGenerator<PlayedFrame> {
  const output = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const ffmpeg = spawn(
    'ffmpeg',
    ['-hide_banner', '-loglevel', 'error', ...input, '-i', url, ...output],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const closed = once(ffmpeg, 'close');
  for await (const rgb of cutUp(ffmpeg.stdout, size.width * size.height * 3))
    yield { rgb, ...size };
  const [code] = (await closed) as [number];
  if (code !== 0) throw new Error(`ffmpeg could not play ${url}: exit ${code}`);
}

/**
 * Plays a stream of 640x480 in ffmpeg, from the first frame that it lists; resolves to the numbers burnt
 * into its frames, in order.
 * @param onFrame called after each frame with the number of frames so far
 */
export async function ffmpegNumbers(
  url: string,
  onFrame?: (count: number) => void,
): Promise<number[]> {
  const size = { width: WIDTH, height: HEIGHT };
  const numbers: number[] = [];
  for await (const frame of playFrames(url, size, ['-live_start_index', '0'])) {
    numbers.push(readFrameCounter(greenPlane(frame), size.width));
    onFrame?.(numbers.length);
  }
  return numbers;
}

/** Yields pieces of `bytes` bytes, each as soon as it is complete; drops an incomplete one at the end. */
export async function* cutUp(stream: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let have = 0;
  for await (const part of stream) {
    parts.push(part);
    have += part.length;
    if (have < bytes) continue;
    let all = Buffer.concat(parts);
    for (; all.length >= bytes; all = all.subarray(bytes)) yield all.subarray(0, bytes);
    parts = [all];
    have = all.length;
  }
}

/** The green channel as a plane of its own: near enough to Y for black and white marks. */
export function greenPlane({ rgb, width, height }: PlayedFrame): Uint8Array {
  const plane = new Uint8Array(width * height);
  for (let i = 0; i < plane.length; i++) plane[i] = rgb[3 * i + 1] ?? 0;
  return plane;
}

/** The smallest box around all pixels of the outline's green; undefined if there are too few. */
export function greenOutline({ rgb, width, height }: PlayedFrame): Place | undefined {
  // A 40 px box with 2-pixel lines has 300; noise of the encoder has none.
  const leastPixels = 100;
  let [left, top, right, bottom, count] = [width, height, 0, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = 3 * (y * width + x);
      if ((rgb[i + 1] ?? 0) < 170 || (rgb[i] ?? 0) > 90 || (rgb[i + 2] ?? 0) > 90) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      count++;
    }
  if (count < leastPixels) return undefined;
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Whether `outline` is around `face`: its centre is in the face, and its size is similar. */
export function surrounds(outline: Place, face: Place): boolean {
  const x = outline.x + outline.width / 2;
  const y = outline.y + outline.height / 2;
  return (
    x > face.x &&
    x < face.x + face.width &&
    y > face.y &&
    y < face.y + face.height &&
    outline.width > 0.6 * face.width &&
    outline.width < 2.5 * face.width
  );
}
