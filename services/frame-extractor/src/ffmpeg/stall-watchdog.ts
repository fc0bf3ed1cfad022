import { RunnableTimer } from '@facecast/shared/runtime/runnable-timer';

/** How many frames a decoder may hold back to reorder them (H.264, annex A: at most 16). */
const MAX_REORDERED_FRAMES = 16;

/**
 * Detects a decoder that gets frames and gives none. It is no stall if there was nothing to decode (a still
 * screen sends no frames), if its output was not taken, if it may still be reordering frames, or if it had
 * no CPU.
 */
export class StallWatchdog {
  private readonly timer: RunnableTimer;
  private unanswered = 0;
  private isWaitedFor = false;
  private blocked = false;
  private held = false;
  private finishing = false;

  /**
   * @param pid of the decoder; undefined before it has started
   * @param limitMs how long it may owe output, in milliseconds; called each time that it begins to
   */
  constructor(
    pid: () => number | undefined,
    private readonly limitMs: () => number,
    onStall: () => void,
  ) {
    this.timer = new RunnableTimer(pid, onStall);
  }

  /**
   * Records that it was given bytes in which `frames` frames (or audio packets) begin. With `must` it owes
   * one at once; with false, not any more.
   */
  gave(frames: number, must = false): void {
    this.unanswered += frames;
    this.isWaitedFor = must;
    if (this.owes) this.start();
    else this.stop();
  }

  /** Records that it does not take its input (`true`), or does so again (`false`). */
  blocks(blocked: boolean): void {
    this.blocked = blocked;
    if (blocked) this.start();
    else if (!this.owes) this.stop();
  }

  /** Records that it was told to finish: it owes output until it ends. */
  toldToFinish(): void {
    this.finishing = true;
    this.start();
  }

  /** Records that it gave output. */
  got(): void {
    this.unanswered = 0;
    this.isWaitedFor = false;
    this.stop();
    this.start();
  }

  /** Records that its output is not taken for now. */
  hold(): void {
    this.held = true;
    this.stop();
  }

  /** Records that its output is taken again. */
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
