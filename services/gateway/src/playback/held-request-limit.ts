/** Maximum number of held requests, in one gateway and of one session. */
const MAX_HELD = 10_000;
const MAX_HELD_FOR_SESSION = 4_000;

/** Counts the requests that a gateway holds, and limits them. */
export class HeldRequestLimit {
  private held = 0;

  constructor(
    private readonly max = MAX_HELD,
    private readonly maxForSession = MAX_HELD_FOR_SESSION,
  ) {}

  get size(): number {
    return this.held;
  }

  /** Lets one more in, unless there are too many; `sessionSize` is how many its session has. */
  enter(sessionSize: number): boolean {
    if (this.held >= this.max || sessionSize >= this.maxForSession) return false;
    this.held += 1;
    return true;
  }

  leave(): void {
    this.held -= 1;
  }
}
