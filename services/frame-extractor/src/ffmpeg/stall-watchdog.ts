import { RunnableTimer } from '@facecast/shared/runtime/runnable-timer';

/**
 * A decoder may keep so many frames back to put them in order (H.264, annex A: at most 16), and asks for
 * the next ones before it gives them. Of audio, none keeps more.
 */
const MAX_REORDERED_FRAMES = 16;

/**
 * Notices a decoder that is given frames and gives none back. It is no stall when there was nothing to
 * work on (a still screen sends no frames), when its output was not taken from it, when it may be waiting
 * for frames to come before those that it has, or when it had no CPU to work with.
 */
export class StallWatchdog {
  private readonly timer: RunnableTimer;
  private unanswered = 0;
  private isWaitedFor = false;
  private blocked = false;
  private held = false;
  private finishing = false;

  /**
   * @param pid of the decoder, as far as that is known
   * @param limitMs longest time in milliseconds that it may owe something; asked each time that it begins
   */
  constructor(
    pid: () => number | undefined,
    private readonly limitMs: () => number,
    onStall: () => void,
  ) {
    this.timer = new RunnableTimer(pid, onStall);
  }

  /** It was given bytes in which so many frames (packets of audio) begin; `must` it give one for them? */
  gave(frames: number, must = false): void {
    this.unanswered += frames;
    this.isWaitedFor ||= must;
    this.start();
  }

  /** It does not take what it is given, or does so again. */
  blocks(blocked: boolean): void {
    this.blocked = blocked;
    if (blocked) this.start();
    else if (!this.owes) this.stop();
  }

  /** It was told to finish: from now on it owes something until it ends. */
  toldToFinish(): void {
    this.finishing = true;
    this.start();
  }

  /** It gave something. */
  got(): void {
    this.unanswered = 0;
    this.isWaitedFor = false;
    this.stop();
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
    this.held = true;
    this.stop();
  }

  private get owes(): boolean {
    const { blocked, finishing, isWaitedFor, unanswered } = this;
    return blocked || finishing || isWaitedFor || unanswered > MAX_REORDERED_FRAMES;
  }

  private start(): void {
    if (this.owes && !this.held) this.timer.start(this.limitMs());
  }

  private stop(): void {
    this.timer.stop();
  }
}
