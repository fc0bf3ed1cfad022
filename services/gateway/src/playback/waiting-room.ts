/** Most requests that wait at once, in one gateway and for one session. */
const MAX_WAITING = 10_000;
const MAX_WAITING_FOR_SESSION = 4_000;

/** Counts the requests that a gateway holds, and bounds them. */
export class WaitingRoom {
  private held = 0;

  constructor(
    private readonly most = MAX_WAITING,
    private readonly mostForSession = MAX_WAITING_FOR_SESSION,
  ) {}

  get size(): number {
    return this.held;
  }

  /** Lets one more in, unless there are too many; `sessionSize` is how many its session has. */
  enter(sessionSize: number): boolean {
    if (this.held >= this.most || sessionSize >= this.mostForSession) return false;
    this.held += 1;
    return true;
  }

  leave(): void {
    this.held -= 1;
  }
}
