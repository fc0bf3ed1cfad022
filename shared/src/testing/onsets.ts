/**
 * The indexes at which `values` reach `threshold` after at least `pause` values that did not: clicks in
 * samples, or flashes in the brightness of pictures.
 */
export function onsets(values: ArrayLike<number>, threshold: number, pause: number): number[] {
  const found: number[] = [];
  let last = -Infinity;
  for (let n = 0; n < values.length; n++) {
    if ((values[n] ?? 0) < threshold) continue;
    if (n - last > pause) found.push(n);
    last = n;
  }
  return found;
}
