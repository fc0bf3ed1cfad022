import type { Size } from '@facecast/shared/media/size';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Turn } from '@facecast/face-detector/finders/sample';
import type { Rect } from '@facecast/face-detector/geometry/rect';

/** Pictures of real people with a box around each face, from the hairline to the chin. */
export interface MarkedPicture extends Size {
  name: string;
  path: string;
  faces: Rect[];
  /** Places of which nobody can say whether they are faces. */
  ignore: Rect[];
}

/** A picture fitted into a frame, with grey beside it. */
export interface FittedPicture extends Size {
  name: string;
  /** One I420 frame. */
  bytes: Buffer;
  /** In pixels of the frame. */
  faces: Rect[];
  ignore: Rect[];
}

const BESIDE_PICTURE = '0x282828';
const SHARED = new URL('../../../../../shared/faces', import.meta.url).pathname;

/** The directory of the pictures: `FACES_DIR`, or one beside the project. */
function directory(): string {
  const named = process.env['FACES_DIR'] || SHARED;
  if (existsSync(join(named, 'faces.json'))) return named;
  throw new Error(
    `FACES_DIR: no faces.json in ${named}. It names each picture beside it with its width, height, ` +
      'faces and ignore, both lists of [x, y, width, height] from the hairline to the chin.',
  );
}

/** All pictures with their marks. */
export async function markedPictures(): Promise<MarkedPicture[]> {
  const from = directory();
  const marks = JSON.parse(await readFile(join(from, 'faces.json'), 'utf8')) as Record<
    string,
    Size & { faces: number[][]; ignore: number[][] }
  >;
  const rect = ([x, y, width, height]: number[]): Rect => ({
    ...{ x: x!, y: y! },
    ...{ width: width!, height: height! },
  });
  return Object.entries(marks).map(([name, { width, height, faces, ignore }]) => ({
    ...{ name, path: join(from, name), width, height },
    faces: faces.map(rect),
    ignore: ignore.map(rect),
  }));
}

const TURNS: Record<Turn, string> = {
  ...{ 0: '', 90: ',transpose=clock', 180: ',hflip,vflip', 270: ',transpose=cclock' },
};

/** The picture in a frame of this size, which is then turned clockwise. */
export async function fit(picture: MarkedPicture, size: Size, turn: Turn): Promise<FittedPicture> {
  const scale = Math.min(size.width / picture.width, size.height / picture.height);
  const width = 2 * Math.floor((picture.width * scale) / 2);
  const height = 2 * Math.floor((picture.height * scale) / 2);
  const x = 2 * Math.floor((size.width - width) / 4);
  const y = 2 * Math.floor((size.height - height) / 4);
  const filter =
    `scale=${width}:${height}:flags=area,` +
    `pad=${size.width}:${size.height}:${x}:${y}:color=${BESIDE_PICTURE}${TURNS[turn]},` +
    'format=yuv420p';
  const bytes = await rawFrames(['-i', picture.path, '-vf', filter, '-frames:v', '1']);
  const placed = (rect: Rect): Rect =>
    turned(
      {
        x: (rect.x * width) / picture.width + x,
        y: (rect.y * height) / picture.height + y,
        width: (rect.width * width) / picture.width,
        height: (rect.height * height) / picture.height,
      },
      size,
      turn,
    );
  const { name, faces, ignore } = picture;
  const frame = turned({ x: 0, y: 0, ...size }, size, turn);
  return {
    ...{ name, bytes, width: frame.width, height: frame.height },
    ...{ faces: faces.map(placed), ignore: ignore.map(placed) },
  };
}

/** A box of a frame of this size, after that was turned clockwise. */
function turned(rect: Rect, { width, height }: Size, turn: Turn): Rect {
  const right = width - rect.x - rect.width;
  const below = height - rect.y - rect.height;
  switch (turn) {
    case 0:
      return rect;
    case 90:
      return { x: below, y: rect.x, width: rect.height, height: rect.width };
    case 180:
      return { ...rect, x: right, y: below };
    case 270:
      return { x: rect.y, y: right, width: rect.height, height: rect.width };
  }
}

/** What ffmpeg makes of its input, as raw frames. */
export async function rawFrames(args: string[], pixels = 'yuv420p'): Promise<Buffer> {
  const output = ['-f', 'rawvideo', '-pix_fmt', pixels, '-'];
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', ...args, ...output], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(ffmpeg, 'close');
  const bytes = await buffer(ffmpeg.stdout);
  const [code] = (await closed) as [number];
  if (code !== 0) throw new Error(`ffmpeg ${args.join(' ')} ended with ${code}`);
  return bytes;
}
