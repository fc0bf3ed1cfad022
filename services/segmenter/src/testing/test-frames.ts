import { execFile } from 'node:child_process';
import { frameBytes } from '@facecast/shared/media/frame-store';

/** Pictures that show their own number in blocks of black and white, to be read back after decoding. */

const BLOCK = 16;
const BITS = 16;
export const WIDTH = 128;
export const HEIGHT = 96;

/** I420 frames `first` to `first + count - 1`, one after another, `scale` times the size. */
export function numberedFrames(first: number, count: number, scale = 1): Buffer {
  const [width, height, block] = [WIDTH * scale, HEIGHT * scale, BLOCK * scale];
  const bytes = frameBytes(width, height);
  const frames = Buffer.alloc(bytes * count, 128);
  for (let index = 0; index < count; index++) {
    const luma = frames.subarray(index * bytes, index * bytes + width * height);
    for (let bit = 0; bit < BITS; bit++) {
      const value = ((first + index) >> bit) & 1 ? 235 : 16;
      const { column, row } = blockAt(bit);
      for (let y = row * block; y < (row + 1) * block; y++)
        luma.fill(value, y * width + column * block, y * width + (column + 1) * block);
    }
  }
  return frames;
}

/** The numbers that decoded frames of WIDTH x HEIGHT show. */
function readNumbers(frames: Buffer): number[] {
  const bytes = frameBytes(WIDTH, HEIGHT);
  return Array.from({ length: Math.floor(frames.length / bytes) }, (_, index) => {
    let number = 0;
    for (let bit = 0; bit < BITS; bit++) {
      const { column, row } = blockAt(bit);
      const centre = index * bytes + (row + 0.5) * BLOCK * WIDTH + (column + 0.5) * BLOCK;
      if ((frames[centre] ?? 0) > 128) number |= 1 << bit;
    }
    return number;
  });
}

/** I420 frames of WIDTH x HEIGHT with fine detail in black and white all over. */
export function detailedFrames(count: number): Buffer {
  const bytes = frameBytes(WIDTH, HEIGHT);
  const frames = Buffer.alloc(bytes * count, 128);
  for (let at = 0; at < frames.length; at++) {
    const pixel = at % bytes;
    if (pixel >= WIDTH * HEIGHT) continue;
    frames[at] = ((pixel >> 3) + (Math.floor(pixel / WIDTH) >> 3)) % 2 ? 235 : 16;
  }
  return frames;
}

/** Between the darkest and the brightest pixel, of each frame that ffmpeg reads. */
export async function playContrasts(path: string): Promise<number[]> {
  const frames = await play(path);
  const bytes = frameBytes(WIDTH, HEIGHT);
  return Array.from({ length: Math.floor(frames.length / bytes) }, (_, index) => {
    const luma = frames.subarray(index * bytes, index * bytes + WIDTH * HEIGHT);
    return Math.max(...luma) - Math.min(...luma);
  });
}

/** The numbers of all frames that ffmpeg reads from a playlist or file, in the order it shows them. */
export async function playNumbers(path: string, ...inputOptions: string[]): Promise<number[]> {
  return readNumbers(await play(path, ...inputOptions));
}

/**
 * All frames that ffmpeg reads from a playlist or file, scaled to WIDTH x HEIGHT, in the order it shows
 * them.
 */
async function play(path: string, ...inputOptions: string[]): Promise<Buffer> {
  const options = ['-v', 'error', ...inputOptions, '-i', path, '-fps_mode', 'passthrough'];
  const output = ['-vf', `scale=${WIDTH}:${HEIGHT}:flags=neighbor`, '-pix_fmt', 'yuv420p'];
  return run('ffmpeg', [...options, ...output, '-f', 'rawvideo', 'pipe:1']);
}

/** What ffprobe says of a file, as JSON. */
export async function probe(path: string, ...show: string[]): Promise<unknown> {
  const output = await run('ffprobe', ['-v', 'error', ...show, '-of', 'json', path]);
  return JSON.parse(output.toString());
}

/** 0 to `count - 1`. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

function blockAt(bit: number) {
  const columns = WIDTH / BLOCK;
  return { column: bit % columns, row: Math.floor(bit / columns) };
}

/** What a program writes to stdout; rejects where it complains. */
export function run(command: string, args: string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { encoding: 'buffer', maxBuffer: 1 << 30 }, (error, stdout, stderr) => {
      if (error || stderr.length > 0) reject(new Error(`${command}: ${stderr.toString()}`));
      else resolve(stdout);
    });
  });
}
