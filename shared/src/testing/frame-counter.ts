/**
 * Number of bits of a frame counter: 16 black or white squares side by side along the top edge, the most
 * significant bit at the left. They survive any encoder at a sensible quality, so a test can tell which
 * frames came back, how often, and in which order.
 */
const BITS = 16;
const BLACK = 16;
const WHITE = 235;

/** Draws `frame` (0 to 65,535) into a Y plane (8 bit, limited range) of this width, in place. */
export function drawFrameCounter(y: Uint8Array, width: number, frame: number): void {
  const side = sideOf(width);
  for (let row = 0; row < side; row++)
    for (let bit = 0; bit < BITS; bit++) {
      const from = row * width + bit * side;
      y.fill((frame >> (BITS - 1 - bit)) & 1 ? WHITE : BLACK, from, from + side);
    }
}

/** Reads the frame number from a Y plane of this width, at the middle of each square. */
export function readFrameCounter(y: Uint8Array, width: number): number {
  const side = sideOf(width);
  const row = Math.floor(side / 2) * width;
  let frame = 0;
  for (let bit = 0; bit < BITS; bit++)
    frame = frame * 2 + ((y[row + bit * side + Math.floor(side / 2)] ?? 0) > 125 ? 1 : 0);
  return frame;
}

/** Side of a square in pixels; even, so that a square covers whole chroma samples. */
function sideOf(width: number): number {
  return 2 * Math.floor(width / BITS / 2);
}
