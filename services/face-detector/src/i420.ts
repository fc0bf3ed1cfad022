import { frameBytes } from '@facecast/shared/media/frame-store';

/** One plane of a picture: `width * height` bytes, row after row without gaps. */
export interface Plane {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/**
 * A frame as three planes of 8 bits, BT.601 limited range. `u` and `v` have half of `y`'s width and
 * height: each of their samples colours 2x2 pixels. The planes are views; drawing changes the batch.
 */
export interface I420Frame {
  y: Plane;
  u: Plane;
  v: Plane;
}

/**
 * The frames of a batch, as views of its bytes.
 *
 * @throws if the bytes are not exactly `frameCount` frames of this size
 */
export function framesOf(
  batch: Uint8Array,
  { frameCount, width, height }: { frameCount: number; width: number; height: number },
): I420Frame[] {
  const size = frameBytes(width, height);
  if (batch.length !== frameCount * size)
    throw new Error(
      `a batch of ${frameCount} frames of ${width}x${height} must have ${frameCount * size} bytes, not ${batch.length}`,
    );
  return Array.from({ length: frameCount }, (_, n) =>
    frameOf(batch.subarray(n * size, (n + 1) * size), width, height),
  );
}

function frameOf(bytes: Uint8Array, width: number, height: number): I420Frame {
  const luma = width * height;
  const chroma = luma / 4;
  const half = { width: width / 2, height: height / 2 };
  return {
    y: { pixels: bytes.subarray(0, luma), width, height },
    u: { pixels: bytes.subarray(luma, luma + chroma), ...half },
    v: { pixels: bytes.subarray(luma + chroma), ...half },
  };
}
