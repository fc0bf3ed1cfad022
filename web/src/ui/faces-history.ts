/** How far back the plot goes, in seconds. */
export const HISTORY_SECONDS = 60;
/** Figures come about once a second; anything faster is dropped with the oldest. */
const MAX_POINTS = 4 * HISTORY_SECONDS;

/** How many faces there were, second by second, over the last minute. */
export class FacesHistory {
  private times: number[] = [];
  private counts: (number | null)[] = [];

  /** Notes `faces` seen at `now` (seconds since 1970); undefined where nobody looked. */
  add(now: number, faces: number | undefined): void {
    this.times.push(now);
    this.counts.push(faces ?? null);
    const tooOld = this.times.findIndex((time) => time >= now - HISTORY_SECONDS);
    const dropped = Math.max(tooOld, this.times.length - MAX_POINTS);
    this.times.splice(0, dropped);
    this.counts.splice(0, dropped);
  }

  clear(): void {
    this.times = [];
    this.counts = [];
  }

  /** Seconds since 1970 and counts, oldest first; null is a gap. */
  get points(): [times: number[], counts: (number | null)[]] {
    return [this.times, this.counts];
  }

  /** The most faces of the last minute; 0 where nothing is known. */
  get most(): number {
    return this.counts.reduce<number>((most, count) => Math.max(most, count ?? 0), 0);
  }
}
