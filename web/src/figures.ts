/** What stands where a figure is unknown. */
export const UNKNOWN = '-';

/** Seconds to one decimal, with the unit. */
export function secondsFigure(seconds: number | undefined): string {
  return seconds === undefined ? UNKNOWN : `${seconds.toFixed(1)} s`;
}

/** Whole milliseconds, with the unit. */
export function millisecondsFigure(ms: number | undefined): string {
  return ms === undefined ? UNKNOWN : `${Math.round(ms)} ms`;
}

/** A count, with separators. */
export function countFigure(count: number | undefined): string {
  return count === undefined ? UNKNOWN : count.toLocaleString('en');
}

/** A picture's size in pixels and its rate; unknown until the first frame. */
export function pictureFigure(width: number, height: number, fps: number): string {
  return width === 0 ? UNKNOWN : `${width} × ${height}, ${fps} a second`;
}

/** How many watch, in words. */
export function viewersFigure(viewers: number): string {
  return viewers === 1 ? '1 viewer' : `${countFigure(viewers)} viewers`;
}
