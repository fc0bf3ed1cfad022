import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { beforeAll, expect, test } from 'vitest';
import { BlazeFaceFinder } from '../finders/blazeface.js';
import { BLAZEFACE_MODEL } from '../finders/create-finder.js';
import type { FaceFinder } from '../finders/face-finder.js';
import { FACE, photograph, VGA } from '../testing/face-clips.js';
import { hide, type Disturbance } from '../testing/hidden.js';
import { cutoutOf, type Cutout, type Pose, type Scene } from '../testing/scene.js';
import { Watchers } from '../testing/watchers.js';

const FRAMES = 36;

let finder: FaceFinder;
let watchers: Watchers;
let room: Scene['background'];
let astronaut: Cutout;

beforeAll(async () => {
  finder = await BlazeFaceFinder.load(BLAZEFACE_MODEL);
  watchers = await Watchers.load();
  room = await photograph('coffee.jpg', VGA);
  const { x, y, size } = FACE;
  const face = { x, y, width: size, height: size, frontal: true };
  const head = { x: x - 66, y: 0, width: 228, height: 300 };
  astronaut = cutoutOf(await photograph('astronaut.jpg', { width: 512, height: 512 }), head, [
    face,
  ]);
});

/** What the person does, frame by frame. */
const POSES: Record<string, (n: number) => Pose | undefined> = {
  'walks in and out': (n) => ({ x: 320 - 480 * Math.cos(n / 11), y: 220, size: 100 }),
  'is suddenly there': (n) => (n < 13 ? undefined : { x: 400, y: 200, size: 70 }),
  'moves fast': (n) => ({ x: 320 + 200 * Math.sin(n / 6), y: 220, size: 85 }),
  'turns and tilts the head': (n) => ({
    ...{ x: 320, y: 220, size: 90 },
    ...{ turn: 0.75 + 0.25 * Math.cos(n / 7), tilt: 0.3 * Math.sin(n / 8) },
  }),
  'is far away': (n) => ({ x: 250 + n, y: 240, size: 28 }),
};

test.each<[string, Effect, Disturbance]>([
  ['walks in and out', 'blur', 'none'],
  ['is suddenly there', 'blur', 'none'],
  ['is suddenly there', 'pixelate', 'out of order'],
  ['moves fast', 'pixelate', 'none'],
  ['moves fast', 'blur', 'out of order'],
  ['turns and tilts the head', 'blur', 'failing'],
  ['turns and tilts the head', 'pixelate', 'overloaded'],
  ['is far away', 'blur', 'failing'],
  ['moves fast', 'blur', 'overloaded'],
  ['is suddenly there', 'blur', 'overloaded'],
])(
  'no finder finds the face of somebody who %s: %s, disturbance: %s',
  async (what, effect, disturbance) => {
    const actors = [{ cutout: astronaut, pose: POSES[what]! }];
    const scene = { name: what, background: room, actors };
    const { seenIn } = await hide(finder, watchers, scene, { frames: FRAMES, effect, disturbance });
    expect(seenIn).toEqual([]);
  },
);
