import { frameBytes } from '@facecast/shared/media/frame-store';
import type { Rect } from '../geometry/rect.js';
import { framesOf, type I420Frame, type Plane } from '../i420.js';

/** Grey clips drawn from pictures, so that the place of each face in each frame is known. */

/** Part of a picture with at least one face, in ever smaller sizes: each half of the one before. */
export interface Cutout {
  levels: Plane[];
  /** In pixels of the first level; the first face is the one that a pose is about. */
  faces: readonly KnownFace[];
}

/** Where a face is in a picture, from brows to chin and from ear to ear. */
export interface KnownFace extends Rect {
  /** Whether it looks at the camera. */
  frontal: boolean;
}

/** How a cutout lies in a frame. */
export interface Pose {
  /** The middle of its first face, in pixels of the frame. */
  x: number;
  y: number;
  /** Width of that face in pixels, were it not turned. */
  size: number;
  /** How far the head is turned away: 1 not at all, 0.5 so far that it looks half as wide. */
  turn?: number;
  /** How far it is tilted, in radians. */
  tilt?: number;
}

/** A clip to be drawn; `n` counts its frames. */
export interface Scene {
  name: string;
  background: Plane;
  actors: readonly { cutout: Cutout; pose: (n: number) => Pose | undefined }[];
  /** Brightness, 0 to 1. */
  light?: number;
  /** Amplitude of the camera's noise, in grey levels. */
  noise?: number;
  /** How often the resolution of the actors is halved. */
  blur?: number;
}

/** A face of a frame, as far as it is within the picture. */
export interface TrueFace extends KnownFace {
  /** Whether all of it is within the picture. */
  whole: boolean;
}

/** Frame `n` of a scene, and the faces in it of whose box at least a tenth is visible. */
export function drawFrame(scene: Scene, n: number): { frame: I420Frame; faces: TrueFace[] } {
  const { width, height } = scene.background;
  const bytes = new Uint8Array(frameBytes(width, height)).fill(128);
  const frame = framesOf(bytes, { frameCount: 1, width, height })[0]!;
  frame.y.pixels.set(scene.background.pixels);
  const faces: TrueFace[] = [];
  for (const { cutout, pose } of scene.actors) {
    const at = pose(n);
    if (!at) continue;
    paste(frame.y, cutout, at, scene.blur ?? 0);
    for (const face of cutout.faces) {
      const seen = seenFace(face, cutout.faces[0]!, at, frame.y);
      if (seen) faces.push(seen);
    }
  }
  expose(frame.y.pixels, scene.light ?? 1, scene.noise ?? 0, n);
  return { frame, faces };
}

/** A picture, or part of it, as a cutout. */
export function cutoutOf(picture: Plane, part: Rect, faces: readonly KnownFace[]): Cutout {
  const width = Math.floor(part.width);
  const height = Math.floor(part.height);
  const first: Plane = { pixels: new Uint8Array(width * height), width, height };
  for (let y = 0; y < height; y++) {
    const from = (part.y + y) * picture.width + part.x;
    first.pixels.set(picture.pixels.subarray(from, from + width), y * width);
  }
  const levels = [first];
  while (Math.min(levels.at(-1)!.width, levels.at(-1)!.height) >= 8)
    levels.push(halved(levels.at(-1)!));
  return { levels, faces: faces.map((f) => ({ ...f, x: f.x - part.x, y: f.y - part.y })) };
}

function halved({ pixels, width, height }: Plane): Plane {
  const half = { width: width >> 1, height: height >> 1 };
  const out = new Uint8Array(half.width * half.height);
  for (let y = 0; y < half.height; y++)
    for (let x = 0; x < half.width; x++) {
      const at = 2 * y * width + 2 * x;
      out[y * half.width + x] =
        (pixels[at]! + pixels[at + 1]! + pixels[at + width]! + pixels[at + width + 1]! + 2) >> 2;
    }
  return { pixels: out, ...half };
}

function paste(onto: Plane, { levels, faces }: Cutout, pose: Pose, blur: number): void {
  const { x, y, width, height } = faces[0]!;
  const { turn = 1, tilt = 0 } = pose;
  const middle = { x: x + width / 2, y: y + height / 2 };
  const step = width / pose.size;
  const level = Math.min(levels.length - 1, Math.max(0, Math.round(Math.log2(step)) + blur));
  const source = levels[level]!;
  const shrunk = 2 ** -level;
  const [sin, cos] = [Math.sin(tilt), Math.cos(tilt)];
  const reach = Math.hypot(levels[0]!.width, levels[0]!.height) / step;
  for (
    let row = bound(pose.y - reach, onto.height);
    row < bound(pose.y + reach, onto.height);
    row++
  )
    for (
      let column = bound(pose.x - reach, onto.width);
      column < bound(pose.x + reach, onto.width);
      column++
    ) {
      const right = (column + 0.5 - pose.x) * step;
      const down = (row + 0.5 - pose.y) * step;
      const u = (middle.x + (right * cos + down * sin) / turn) * shrunk - 0.5;
      const v = (middle.y + down * cos - right * sin) * shrunk - 0.5;
      if (u < 0 || v < 0 || u >= source.width - 1 || v >= source.height - 1) continue;
      onto.pixels[row * onto.width + column] = sample(source, u, v);
    }
}

function bound(value: number, end: number): number {
  return Math.min(end, Math.max(0, Math.floor(value)));
}

function sample({ pixels, width }: Plane, u: number, v: number): number {
  const [x, y] = [Math.floor(u), Math.floor(v)];
  const [right, down] = [u - x, v - y];
  const at = y * width + x;
  const upper = pixels[at]! * (1 - right) + pixels[at + 1]! * right;
  const lower = pixels[at + width]! * (1 - right) + pixels[at + width + 1]! * right;
  return upper * (1 - down) + lower * down;
}

function seenFace(
  face: KnownFace,
  first: KnownFace,
  { x, y, size, turn = 1, tilt = 0 }: Pose,
  { width, height }: Plane,
): TrueFace | undefined {
  const scale = size / first.width;
  const right = (face.x + face.width / 2 - first.x - first.width / 2) * scale * turn;
  const down = (face.y + face.height / 2 - first.y - first.height / 2) * scale;
  const wide = face.width * scale * turn;
  const high = face.height * scale;
  const place = {
    x: x + right * Math.cos(tilt) - down * Math.sin(tilt) - wide / 2,
    y: y + right * Math.sin(tilt) + down * Math.cos(tilt) - high / 2,
    ...{ width: wide, height: high },
  };
  const seenWidth = Math.min(width, place.x + wide) - Math.max(0, place.x);
  const seenHeight = Math.min(height, place.y + high) - Math.max(0, place.y);
  const part = (Math.max(0, seenWidth) * Math.max(0, seenHeight)) / (wide * high);
  if (part < 0.1) return undefined;
  return {
    ...place,
    frontal: face.frontal && turn > 0.85 && Math.abs(tilt) < 0.26,
    whole: part > 0.999,
  };
}

function expose(pixels: Uint8Array, light: number, noise: number, n: number): void {
  if (light === 1 && noise === 0) return;
  let seed = n + 1;
  for (let at = 0; at < pixels.length; at++) {
    // A fixed linear congruential generator (Numerical Recipes).
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const value = 16 + (pixels[at]! - 16) * light + ((seed >>> 16) / 65536 - 0.5) * 2 * noise;
    pixels[at] = Math.min(235, Math.max(16, value));
  }
}
