import type { Pose, Scene } from '@facecast/face-detector/testing/scene';
import { fixture, grey, synthetic, type Pictures } from './pictures.js';

/** Pixels of a clip's frames. */
export interface Size {
  width: number;
  height: number;
}

/** Frames of a clip, at 30 a second. */
export const SCENE_FRAMES = 60;

/**
 * The clips: what people do before a camera, and what only looks like them. Sizes of faces are pixels
 * whatever the picture's size is; ways are parts of the picture.
 */
export async function scenesOf({ people, groups }: Pictures, size: Size): Promise<Scene[]> {
  const { width, height } = size;
  const room = await grey(fixture('coffee.jpg'), size);
  const scale = height / 480;
  const person = (n: number) => people[n % people.length]!;
  const sway = (n: number, face: number, about = 0.5): Pose => ({
    x: width * (about + 0.12 * Math.sin(n / 21)),
    y: height * (0.45 + 0.04 * Math.sin(n / 13)),
    size: face,
  });
  const one = (name: string, who: number, pose: (n: number) => Pose | undefined, more = {}) => ({
    ...{ name, background: room, actors: [{ cutout: person(who), pose }] },
    ...more,
  });
  const still = (about: number, face: number): Pose => sway(0, face, about);
  const whole = (cutout: Pictures['groups'][number], n: number): Pose => {
    const [first] = cutout.faces;
    const zoom = (width / cutout.levels[0]!.width) * (1.02 + 0.02 * Math.sin(n / 20));
    return {
      x: (first!.x + first!.width / 2) * zoom,
      y: (first!.y + first!.height / 2) * zoom,
      size: first!.width * zoom,
    };
  };
  const group = (name: string, which: number) => ({
    ...{ name, background: room },
    actors: [{ cutout: groups[which]!, pose: (n: number) => whole(groups[which]!, n) }],
  });
  const none = async (name: string, background: Scene['background']) => ({
    name,
    background,
    actors: [],
  });
  return [
    one('near', 16, (n) => sway(n, 180 * scale)),
    { ...one('still', 2, () => still(0.45, 90)), noise: 3 },
    {
      name: '40 pixels',
      background: room,
      actors: [0, 1, 2, 3].map((k) => ({
        cutout: person(3 * k + 1),
        pose: (n: number) => sway(n + 20 * k, 41 + k, 0.2 + 0.2 * k),
      })),
    },
    {
      name: 'far, 24 pixels',
      background: room,
      actors: [0, 1, 2].map((k) => ({
        cutout: person(5 * k),
        pose: (n: number) => sway(n + 15 * k, 24, 0.25 + 0.25 * k),
      })),
    },
    group('three people', 2),
    group('five people', 4),
    group('looking away', 1),
    one('turning', 5, (n) => ({
      ...sway(n, 90 * scale),
      turn: 0.72 + 0.28 * Math.cos(n / 9),
      tilt: 0.35 * Math.sin(n / 14),
    })),
    { ...one('dark', 6, (n) => sway(n, 80 * scale)), light: 0.2, noise: 4 },
    { ...one('out of focus', 8, (n) => sway(n, 90 * scale)), blur: 2 },
    one('fast', 9, (n) => ({
      x: width * (0.5 + 0.35 * Math.sin(n / 6)),
      y: height * 0.45,
      size: 85 * scale,
    })),
    one('comes and goes', 11, (n) => ({
      x: width * (0.5 - 0.75 * Math.cos(n / 14)),
      y: height * 0.45,
      size: 100 * scale,
    })),
    one('appears', 12, (n) => (n % 45 < 23 ? undefined : sway(n, 70 * scale, n < 45 ? 0.3 : 0.7))),
    await none('no face: a cat', await grey(fixture('cat.jpg'), size)),
    await none('no face: coffee', room),
    await none('no face: a test pattern', await synthetic(`testsrc2=s=${width}x${height}`)),
    await none('no face: a fractal', await synthetic(`mandelbrot=s=${width}x${height}`)),
  ];
}
