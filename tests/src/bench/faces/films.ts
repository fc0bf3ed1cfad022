import type { Size } from '@facecast/shared/media/size';
import { frameBytes } from '@facecast/shared/media/frame-store';
import { framesOf, type I420Frame } from '@facecast/face-detector/i420';
import type { Rect } from '@facecast/face-detector/geometry/rect';
import { rawFrames } from './marked-pictures.js';
import { fixture } from './pictures.js';

/** Frames with faces at known places. */
export interface Film {
  name: string;
  size: Size;
  frames: number;
  fps: number;
  draw(n: number): { frame: I420Frame; faces: Rect[] };
}

const VGA: Size = { width: 640, height: 480 };
const HD: Size = { width: 1280, height: 720 };

/** The face in astronaut.jpg from the brows to the chin, and the part of the picture around it. */
const FACE = { x: 176, y: 66, size: 95 };
const PORTRAIT = { x: 64, y: 0, size: 320 };
/** Where eyes and mouth are, in parts of that face. */
const EYES = [
  { x: 0.27, y: 0.22 },
  { x: 0.73, y: 0.22 },
];
const MOUTH = { x: 0.5, y: 0.8 };

/** Three planes in full resolution. */
interface Picture extends Size {
  planes: Buffer[];
}

/** The clips in which a face was seen clear: one face that comes, goes, hurries or fills the picture. */
export async function hardFilms(): Promise<Film[]> {
  const room = await picture(fixture('coffee.jpg'), VGA);
  const swing = (widths: number, hertz: number, fps: number) => (n: number) => ({
    x: 275 + widths * Math.sin((2 * Math.PI * hertz * n) / fps),
    y: 180,
  });
  const border = async (name: string, size: number, at: (way: number) => Point) =>
    film(`over the ${name} border, ${size} px`, 240, 30, room, await portrait(size), (n) => [
      at((1 - Math.cos((2 * Math.PI * n) / 80)) / 2),
    ]);
  const borders = [90, 200].flatMap((size) => [
    border('upper', size, (way) => ({ x: 270, y: (1.6 * way - 1.3) * size })),
    border('lower', size, (way) => ({ x: 270, y: 480 + (0.3 - 1.6 * way) * size })),
    border('left', size, (way) => ({ x: (1.6 * way - 1.3) * size, y: 140 })),
    border('right', size, (way) => ({ x: 640 + (0.3 - 1.6 * way) * size, y: 140 })),
  ]);
  const crowd = (n: number) =>
    Array.from({ length: 24 }, (_, k) => ({
      x: 40 + 100 * (k % 6) + 6 * Math.sin((n + 5 * k) / 9),
      y: 50 + 112 * Math.floor(k / 6) + 4 * Math.cos((n + 7 * k) / 11),
    }));
  const face = await portrait(90);
  return [
    film('in each 31st frame only', 620, 30, room, face, (n) =>
      n % 31 === 10 ? [{ x: 100 + ((7 * n) % 400), y: 150 }] : [],
    ),
    film('70 px a frame (1.5 Hz)', 120, 30, room, face, (n) => [swing(225, 1.5, 30)(n)]),
    film('110 px a frame (2.5 Hz)', 120, 30, room, face, (n) => [swing(215, 2.5, 30)(n)]),
    film('1.5 Hz at 15 a second', 120, 15, room, face, (n) => [swing(225, 1.5, 15)(n)]),
    ...(await Promise.all(borders)),
    await eyesAndNose(),
    film('24 faces of 36 px', 60, 30, room, await portrait(36), crowd),
  ];
}

/** So many faces that move a little, for what they cost. */
export async function crowdFilm(count: number): Promise<Film> {
  const room = await picture(fixture('coffee.jpg'), VGA);
  const columns = Math.max(1, Math.ceil(Math.sqrt((count * 4) / 3)));
  const rows = Math.max(1, Math.ceil(count / columns));
  const size = Math.round(Math.min(90, 300 / columns, 190 / rows));
  const face = await portrait(size);
  return film(`${count} faces of ${size} px`, 300, 30, room, face, (n) =>
    Array.from({ length: count }, (_, k) => ({
      x:
        (640 * ((k % columns) + 0.5)) / columns -
        size / 2 +
        (size / 8) * Math.sin((n + 9 * k) / 15),
      y:
        (480 * (Math.floor(k / columns) + 0.5)) / rows -
        size / 2 +
        (size / 12) * Math.cos((n + 5 * k) / 21),
    })),
  );
}

type Point = { x: number; y: number };
type Portrait = Picture & { face: number };

/** @param places top left of each face's box from the brows to the chin */
function film(
  name: string,
  frames: number,
  fps: number,
  room: Picture,
  face: Portrait,
  places: (n: number) => Point[],
): Film {
  const scale = face.face / FACE.size;
  return {
    ...{ name, size: VGA, frames, fps },
    draw: (n) => {
      const at = places(n);
      const layers = at.map(({ x, y }) => ({
        picture: face,
        x: Math.round(x - (FACE.x - PORTRAIT.x) * scale),
        y: Math.round(y - (FACE.y - PORTRAIT.y) * scale),
      }));
      const faces = at
        .filter((point) => isRecognisable(point, face.face))
        .map(({ x, y }) => ({
          ...{ x, y: y - face.face / 4 },
          ...{ width: face.face, height: 1.25 * face.face },
        }));
      return { frame: compose(room, layers), faces };
    },
  };
}

/** From both eyes on, or an eye and the mouth, a face that is cut by the border must be covered. */
function isRecognisable({ x, y }: Point, face: number): boolean {
  const isSeen = (part: Point) => {
    const at = { x: x + part.x * face, y: y + part.y * face };
    return at.x >= 0 && at.y >= 0 && at.x < VGA.width && at.y < VGA.height;
  };
  const eyes = EYES.filter(isSeen).length;
  return eyes === 2 || (eyes === 1 && isSeen(MOUTH));
}

/** Eyes and nose fill the picture: all of it is face. */
async function eyesAndNose(): Promise<Film> {
  const size = { width: 1360, height: 766 };
  const face = await picture(fixture('astronaut.jpg'), size, 'crop=88:49:180:78,');
  const black: Picture = {
    ...HD,
    planes: [16, 128, 128].map((value) => Buffer.alloc(HD.width * HD.height, value)),
  };
  return {
    ...{ name: 'eyes and nose fill 1280x720', size: HD, frames: 60, fps: 30 },
    draw: (n) => {
      const x = -Math.round(40 + 38 * Math.sin(n / 8));
      const y = -Math.round(22 + 20 * Math.cos(n / 11));
      // The inside of a box twice as large is nearly all of the picture.
      const all = { x: -0.5 * HD.width, y: -0.5 * HD.height };
      const faces = [{ ...all, width: 2 * HD.width, height: 2 * HD.height }];
      return { frame: compose(black, [{ picture: face, x, y }]), faces };
    },
  };
}

async function portrait(face: number): Promise<Portrait> {
  const side = 2 * Math.round((PORTRAIT.size * face) / FACE.size / 2);
  const crop = `crop=${PORTRAIT.size}:${PORTRAIT.size}:${PORTRAIT.x}:${PORTRAIT.y},`;
  const size = { width: side, height: side };
  return { ...(await picture(fixture('astronaut.jpg'), size, crop)), face };
}

async function picture(path: string, size: Size, before = ''): Promise<Picture> {
  const filter = `${before}scale=${size.width}:${size.height}`;
  const bytes = await rawFrames(['-i', path, '-vf', filter, '-frames:v', '1'], 'yuv444p');
  const plane = size.width * size.height;
  return { ...size, planes: [0, 1, 2].map((n) => bytes.subarray(n * plane, (n + 1) * plane)) };
}

function compose(
  under: Picture,
  layers: readonly { picture: Picture; x: number; y: number }[],
): I420Frame {
  const { width, height } = under;
  const planes = under.planes.map((plane) => Buffer.from(plane));
  for (const { picture: over, x, y } of layers) {
    const left = Math.max(0, x);
    const right = Math.min(width, x + over.width);
    if (left >= right) continue;
    for (let row = Math.max(0, y); row < Math.min(height, y + over.height); row++)
      for (const [n, plane] of planes.entries()) {
        const from = (row - y) * over.width - x;
        over.planes[n]!.copy(plane, row * width + left, from + left, from + right);
      }
  }
  const bytes = Buffer.alloc(frameBytes(width, height));
  const frame = framesOf(bytes, { frameCount: 1, width, height })[0]!;
  frame.y.pixels.set(planes[0]!);
  for (const [plane, full] of [
    [frame.u, planes[1]!],
    [frame.v, planes[2]!],
  ] as const)
    for (let row = 0; row < plane.height; row++)
      for (let column = 0; column < plane.width; column++) {
        const at = 2 * row * width + 2 * column;
        const sum = full[at]! + full[at + 1]! + full[at + width]! + full[at + width + 1]!;
        plane.pixels[row * plane.width + column] = (sum + 2) >> 2;
      }
  return frame;
}
