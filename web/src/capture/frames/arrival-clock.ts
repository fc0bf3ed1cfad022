/** How many of a track's data are left out while it is measured how late they come. */
const MEASURED = 5;

/**
 * Puts the data of one track on the clock of this page. A browser's timestamps have another origin for each track, and
 * may change it when a worker takes the track over. Data that wait to be read come late; the least late are the
 * measure. Times are seconds.
 */
export class ArrivalClock {
  private offset = Infinity;
  private measured = 0;
  private newest = -Infinity;

  /**
   * The time of data that came at `now`; undefined while it is measured how late they come.
   * @param timestamp the track's own time of the data
   */
  timeOf(timestamp: number, now: number): number | undefined {
    if (timestamp < this.newest) [this.offset, this.measured] = [Infinity, 0];
    this.newest = timestamp;
    if (this.measured === MEASURED) return timestamp + this.offset;
    this.measured++;
    this.offset = Math.min(this.offset, now - timestamp);
    return undefined;
  }
}
