import { HEIGHT, WIDTH, type Place } from './clips.js';

/**
 * Mean difference of neighbouring pixels in a part of a luma plane: how much there is to recognise.
 * @param stride pixels from one row of the plane to the next
 */
export function sharpness(
  luma: Uint8Array,
  { x, y, width, height }: Place = { x: 0, y: 0, width: WIDTH, height: HEIGHT },
  stride = WIDTH,
): number {
  const [left, top] = [Math.ceil(x), Math.ceil(y)];
  const [right, bottom] = [Math.floor(x + width), Math.floor(y + height)];
  let sum = 0;
  for (let row = top; row < bottom; row++)
    for (let column = left + 1; column < right; column++) {
      const at = row * stride + column;
      sum += Math.abs((luma[at] ?? 0) - (luma[at - 1] ?? 0));
    }
  return sum / ((right - left) * (bottom - top));
}
