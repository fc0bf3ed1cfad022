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
  return width === 0 ? UNKNOWN : `${width} × ${height}, ${fps} fps`;
}

/** How many watch, in words; the page that says it is one of them. */
export function viewersFigure(viewers: number): string {
  if (viewers === 0) return 'No one is watching yet.';
  return viewers === 1 ? 'Only you are watching.' : `${countFigure(viewers)} watching, with you.`;
}
