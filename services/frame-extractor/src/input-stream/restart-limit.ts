/** How often ffmpeg may fail at one frame before the failure is final. */
const MAX_FAILURES = 3;
/** How many replacements in a row may fail without any output, which is not their input's fault. */
const MAX_IMMEDIATE_FAILURES = 10;

/**
 * Allows restarts of an ffmpeg that fails now and then, but not of one that always fails at the same
 * frame.
 */
export class RestartLimit {
  private frame = -1;
  private failures = 0;
  private immediateFailures = 0;

  constructor(private readonly maxFailures = MAX_FAILURES) {}

  /**
   * Counts a failure, and returns whether another ffmpeg may be started. A replacement that fails without
   * output counts as one failure with the one before it.
   * @param frame number of the next frame of the session; progress resets all counts
   * @param hasOutput whether the ffmpeg that failed had given anything
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
