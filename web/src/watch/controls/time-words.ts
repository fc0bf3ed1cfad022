/** A time as clocks show it: `0:05`, `12:34`, `1:02:03`. */
export function clockTime(seconds: number): string {
  const { hours, minutes, rest } = parts(seconds);
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

/** A time as people say it: `5 seconds`, `12 minutes 34 seconds`, `1 hour 2 minutes 3 seconds`. */
export function spokenTime(seconds: number): string {
  const { hours, minutes, rest } = parts(seconds);
  const words = [count(hours, 'hour'), count(minutes, 'minute'), count(rest, 'second')];
  return words.filter((word) => word !== '').join(' ') || '0 seconds';
}

function parts(seconds: number): { hours: number; minutes: number; rest: number } {
  const all = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  return { hours: Math.floor(all / 3600), minutes: Math.floor(all / 60) % 60, rest: all % 60 };
}

function pad(figure: number): string {
  return String(figure).padStart(2, '0');
}

function count(figure: number, unit: string): string {
  if (figure === 0) return '';
  return `${figure} ${unit}${figure === 1 ? '' : 's'}`;
}
