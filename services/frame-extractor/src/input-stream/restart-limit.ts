/** How often ffmpeg may be lost at one place. */
const MAX_FAILURES = 3;
/** How often in a row it may be lost before it gave anything: it did not die of what it was given. */
const MAX_IMMEDIATE_FAILURES = 10;

/** Tells an ffmpeg that is lost now and then from one that is always lost at the same place. */
export class RestartLimit {
  private frame = -1;
  private failures = 0;
  private immediateFailures = 0;

  constructor(private readonly maxFailures = MAX_FAILURES) {}

  /**
   * Whether another one may get further than the one that was lost. A replacement that is lost at once
   * is one loss with the one before it.
   * @param frame how far the session has come: whoever gets it further forgets all losses
   * @param hasGiven whether the one that was lost gave anything
   */
  allows(frame: number, hasOutput = true): boolean {
    const isElsewhere = frame !== this.frame;
    this.frame = frame;
    if (isElsewhere) this.failures = 0;
    if (isElsewhere || hasOutput) this.immediateFailures = 0;
    if (isElsewhere || hasOutput) this.failures++;
    else this.immediateFailures++;
    return this.failures < this.maxFailures && this.immediateFailures < MAX_IMMEDIATE_FAILURES;
  }
}
