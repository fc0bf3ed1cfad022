/** How often ffmpeg may be lost at one place. */
const MAX_LOSSES = 3;

/** Tells an ffmpeg that is lost now and then from one that is always lost at the same place. */
export class Losses {
  private frame = -1;
  private count = 0;

  constructor(private readonly maxLosses = MAX_LOSSES) {}

  /**
   * Whether another one may get further than the one that was lost.
   * @param frame how far that one has come
   */
  isWorthAnother(frame: number): boolean {
    this.count = frame === this.frame ? this.count + 1 : 1;
    this.frame = frame;
    return this.count < this.maxLosses;
  }
}
