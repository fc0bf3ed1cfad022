import { createRequire } from 'node:module';
import type { Plane } from './i420.js';

/** The few parts of OpenCV that are used here; the addon's own types are wrong. */
interface OpenCv {
  Mat: new (rows: number, cols: number, type: number, data: Uint8Array) => Mat;
  Rect: new (x: number, y: number, width: number, height: number) => Rect;
  Size: new (width: number, height: number) => Size;
  CascadeClassifier: new (path: string) => CascadeClassifier;
  setNumThreads(threads: number): void;
  CV_8UC1: number;
  INTER_AREA: number;
  INTER_LINEAR: number;
}

export interface Mat {
  resize(rows: number, cols: number, fx: number, fy: number, interpolation: number): Mat;
  copyMakeBorder(
    top: number,
    bottom: number,
    left: number,
    right: number,
    borderType: number,
    value: number,
  ): Mat;
  /** Turned by 0: 90 degrees clockwise, 1: 180, 2: 90 counterclockwise. */
  rotate(code: number): Mat;
  /** A view of part of this Mat; to be released like any other. */
  getRegion(region: Rect): Mat;
  /** A copy of its bytes, row after row without gaps. */
  getData(): Buffer;
  release(): void;
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Size {
  width: number;
  height: number;
}

export interface CascadeClassifier {
  /** Throws if the file was no cascade, which the constructor does not check. */
  detectMultiScale(
    image: Mat,
    scaleFactor: number,
    minNeighbors: number,
    flags: number,
    minSize: Size,
    maxSize: Size,
  ): { objects: Rect[]; numDetections: number[] };
}

/** OpenCV, on one thread: replicas are the parallelism. Only one thread of a process may use it. */
export const cv = load();

/** Registers a Mat to be released, and returns it. */
export type Own = (mat: Mat) => Mat;

/**
 * Runs native work and releases every Mat that it gave to `own`, whatever happens. The garbage collector
 * would release them too late, because Mats look tiny to it.
 *
 * @throws {Error} also if the addon throws a string
 */
export function withMats<Result>(work: (own: Own) => Result): Result {
  const owned: Mat[] = [];
  try {
    return work((mat) => {
      owned.push(mat);
      return mat;
    });
  } catch (error) {
    throw error instanceof Error ? error : new Error(`OpenCV: ${String(error)}`);
  } finally {
    for (const mat of owned) mat.release();
  }
}

/**
 * A grey Mat over the plane's own bytes, without a copy. The Mat holds no reference to them: it must not
 * outlive the call that has the plane.
 */
export function matOver({ pixels, width, height }: Plane): Mat {
  if (pixels.length !== width * height)
    throw new Error(`${pixels.length} bytes are no plane of ${width}x${height}`);
  return new cv.Mat(height, width, cv.CV_8UC1, pixels);
}

function load(): OpenCv {
  /* eslint-disable no-restricted-properties -- switches of the addon, which has no other way in */
  // With its accounting of external memory, Node's garbage collector aborts the process.
  process.env['OPENCV4NODEJS_DISABLE_EXTERNAL_MEM_TRACKING'] = '1';
  // The addon is built against the system's OpenCV; without this it looks for one of its own.
  process.env['OPENCV4NODEJS_DISABLE_AUTOBUILD'] = '1';
  /* eslint-enable no-restricted-properties */
  const require = createRequire(import.meta.url);
  const requireOfAddon = createRequire(require.resolve('@u4/opencv4nodejs'));
  const build = requireOfAddon('@u4/opencv-build') as { Log: { silence: boolean } };
  build.Log.silence = true;
  const loaded = (require('@u4/opencv4nodejs') as { cv: OpenCv }).cv;
  loaded.setNumThreads(1);
  return loaded;
}
