import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Face } from '@facecast/shared/protocol/messages';
import { beforeAll, describe, expect, test } from 'vitest';
import { drawBox } from '../effects/box.js';
import type { I420Frame, Plane } from '../i420.js';
import {
  FACE,
  movingFace,
  photograph,
  testPattern,
  zoomInto,
  type Clip,
} from '../testing/face-clips.js';
import { cutoutOf, drawFrame } from '../testing/scene.js';
import { BlazeFaceFinder } from '../finders/blazeface.js';
import { BLAZEFACE_MODEL } from '../finders/create-finder.js';
import type { FaceFinder } from '../finders/face-finder.js';
import { HaarFinder } from '../finders/haar.js';
import { iou } from '../geometry/rect.js';
import { scheduleAt } from './search-schedule.js';
import { trackRun } from './tracker.js';
import type { TrackerState } from './tracker-state.js';

const CASCADE = '/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml';
const SCHEDULE = scheduleAt(30);
/** Number of frames that each finder follows: Haar needs many times as long. */
const FRAMES: Record<string, number> = { blazeface: 90, haar: 45 };
const HD = { width: 1280, height: 720 };
const finders: Record<string, FaceFinder> = { haar: new HaarFinder(CASCADE) };
const FACES = [
  { faceSize: 48, size: undefined },
  { faceSize: 120, size: undefined },
  { faceSize: 130, size: HD },
];
const moving = new Map<number, Awaited<ReturnType<typeof movingFace>>>();
let faceless: Clip[];

beforeAll(async () => {
  finders['blazeface'] = await BlazeFaceFinder.load(BLAZEFACE_MODEL);
  for (const { faceSize, size } of FACES)
    moving.set(faceSize, await movingFace(Math.max(...Object.values(FRAMES)), faceSize, size));
  faceless = [
    await zoomInto('cat.jpg', 30),
    await zoomInto('coffee.jpg', 30),
    await testPattern(30),
  ];
});

/** Follows a clip as the service does; the faces of each frame. */
async function follow(finder: FaceFinder, frames: readonly I420Frame[]): Promise<Face[][]> {
  let state: TrackerState | undefined;
  const found: Face[][] = [];
  for (let firstFrame = 0; firstFrame < frames.length; firstFrame += SCHEDULE.run) {
    const run = { firstFrame, frames: frames.slice(firstFrame, firstFrame + SCHEDULE.run) };
    const searched = await trackRun(finder, run, state, { schedule: SCHEDULE, hiding: false });
    state = searched.state;
    found.push(...searched.frames.map(({ faces }) => faces!.filter(({ sure }) => sure)));
  }
  return found;
}

describe.each(['blazeface', 'haar'])('%s', (name) => {
  test.each(FACES)(
    'a moving face of $faceSize pixels has its outline in at least 95 % of the frames',
    async ({ faceSize }) => {
      const { frames, places } = moving.get(faceSize)!;
      const found = await follow(finders[name]!, frames.slice(0, FRAMES[name]));
      const right = found.filter((faces, n) => faces.some((f) => iou(f, places[n]!) > 0.5));
      const wrong = found.flatMap((faces, n) => faces.filter((f) => iou(f, places[n]!) < 0.3));
      expect(right.length).toBeGreaterThanOrEqual(0.95 * FRAMES[name]!);
      expect(wrong).toEqual([]);
    },
  );

  test('clips without a face get no outline: a cat, coffee, a test pattern', async () => {
    for (const clip of faceless)
      expect((await follow(finders[name]!, clip.frames)).flat()).toEqual([]);
  });
});

test('thousands of frames do not increase the memory', async () => {
  const clip = await movingFace(60, 70);
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      await follow(finders['blazeface']!, clip.frames);
      const spare = { ...clip.frames[0]!, y: copyOf(clip.frames[0]!.y) };
      drawBox(spare, clip.places[0]!);
    }
    collectGarbage();
    return process.memoryUsage().rss;
  };
  const before = await rounds(5);
  const after = await rounds(30);
  // 600 searches whose Mats were not released would be more than 40 MB.
  expect(after - before).toBeLessThan(25e6);
});

/** Collects garbage, because on a busy core it stays for longer, and would look like a leak. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function copyOf(plane: Plane): Plane {
  return { ...plane, pixels: Uint8Array.from(plane.pixels) };
}

test('a face that moves fast through a large picture is one face, and there is no other', async () => {
  const room = await photograph('coffee.jpg', HD);
  const { x, y, size } = FACE;
  const face = { x, y, width: size, height: size, frontal: true };
  const portrait = { x: x - 66, y: 0, width: 228, height: 300 };
  const astronaut = await photograph('astronaut.jpg', { width: 512, height: 512 });
  const scene = {
    ...{ name: 'hurries', background: room },
    actors: [
      {
        cutout: cutoutOf(astronaut, portrait, [face]),
        pose: (n: number) => ({ x: 640 - 960 * Math.cos(n / 14), y: 324, size: 150 }),
      },
    ],
  };
  const frames = Array.from({ length: 54 }, (_, n) => drawFrame(scene, n).frame);
  const found = await follow(finders['blazeface']!, frames);
  expect(Math.max(...found.map((faces) => faces.length))).toBe(1);
  expect(new Set(found.flat().map(({ id }) => id)).size).toBe(1);
  expect(found.filter((faces) => faces.length > 0).length).toBeGreaterThan(10);
});
