/** How often ffmpeg may be lost at one place. */
const MAX_LOSSES = 3;
/** How often in a row it may be lost before it gave anything: it did not die of what it was given. */
const MAX_AT_ONCE = 10;

/** Tells an ffmpeg that is lost now and then from one that is always lost at the same place. */
export class Losses {
  private frame = -1;
  private count = 0;
  private atOnce = 0;

  constructor(private readonly maxLosses = MAX_LOSSES) {}

  /**
   * Whether another one may get further than the one that was lost. A replacement that is lost at once
   * is one loss with the one before it.
   * @param frame how far the session has come: whoever gets it further forgets all losses
   * @param hasGiven whether the one that was lost gave anything
   */
  isWorthAnother(frame: number, hasGiven = true): boolean {
    const isElsewhere = frame !== this.frame;
    this.frame = frame;
    if (isElsewhere) this.count = 0;
    if (isElsewhere || hasGiven) this.atOnce = 0;
    if (isElsewhere || hasGiven) this.count++;
    else this.atOnce++;
    return this.count < this.maxLosses && this.atOnce < MAX_AT_ONCE;
  }
}
