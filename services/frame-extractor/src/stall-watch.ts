/**
 * Notices a program that is given input and gives nothing back. It is no stall when there was nothing
 * to work on, or when its output was not taken from it.
 */
export class StallWatch {
  private timer: NodeJS.Timeout | undefined;
  private owing = false;
  private held = false;
  private finishing = false;

  /**
   * @param limitMs longest time in milliseconds from the first input since the last output to the next
   * output; asked each time that it begins
   */
  constructor(
    private readonly limitMs: () => number,
    private readonly onStall: () => void,
  ) {}

  /** The program was given input. */
  gave(): void {
    this.owing = true;
    this.start();
  }

  /** The program was told to finish: from now on it owes something until it ends. */
  toldToFinish(): void {
    this.finishing = true;
    this.gave();
  }

  /** The program gave something. */
  got(): void {
    this.stop();
    this.owing = this.finishing;
    this.start();
  }

  /** Its output is not taken for a while. */
  hold(): void {
    this.held = true;
    this.stop();
  }

  /** Its output is taken again. */
  release(): void {
    this.held = false;
    this.start();
  }

  close(): void {
    this.owing = false;
    this.finishing = false;
    this.stop();
  }

  private start(): void {
    if (this.owing && !this.held) this.timer ??= setTimeout(this.onStall, this.limitMs());
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
