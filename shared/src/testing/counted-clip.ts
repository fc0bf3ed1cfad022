import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { frameBytes } from '../media/frame-store.js';
import { drawFrameCounter } from './frame-counter.js';

const WHITE = 235;

/** Options for the pictures of a counted clip. */
export interface CountedPictures {
  /** Size in pixels; both numbers are even. */
  width?: number;
  height?: number;
  /** Frames a second. */
  fps?: number;
  /**
   * Whether the picture below the counter is noise, which no encoder makes small, instead of a moving
   * gradient.
   */
  noise?: boolean;
  /** Number of the first frame. */
  first?: number;
  /** Frames that are white below the counter. */
  isWhite?: (n: number) => boolean;
}

/**
 * Resolves to a clip whose frame n has the number `first` + n burnt in, as ffmpeg writes it to stdout with
 * these output arguments.
 */
export async function countedClip(
  frames: number,
  encoding: string[],
  pictures: CountedPictures = {},
): Promise<Buffer> {
  const { width = 640, height = 480, fps = 30, noise = false, first = 0, isWhite } = pictures;
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`];
  const ffmpeg = spawn(
    'ffmpeg',
    ['-v', 'error', ...input, '-r', `${fps}`, '-i', '-', ...encoding, 'pipe:1'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const written = buffer(ffmpeg.stdout);
  const frame = Buffer.alloc(frameBytes(width, height), 128);
  for (let n = first; n < first + frames; n++) {
    if (isWhite?.(n)) frame.fill(WHITE, 0, width * height);
    else if (noise) fillWithNoise(frame, n);
    else
      for (let row = 0; row < height; row++)
        frame.fill((row + 4 * n) & 0x7f, row * width, (row + 1) * width);
    drawFrameCounter(frame, width, n);
    // A copy, because the stream may keep it while the next frame is drawn into this one.
    if (!ffmpeg.stdin.write(Buffer.from(frame))) await once(ffmpeg.stdin, 'drain');
  }
  ffmpeg.stdin.end();
  return written;
}

/** Noise that is the same for the same seed (xorshift, Marsaglia 2003). */
function fillWithNoise(bytes: Buffer, seed: number): void {
  let state = seed + 1;
  for (let at = 0; at < bytes.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 0xff;
  }
}
