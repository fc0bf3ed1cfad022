import { LATE_SECONDS } from './latency.js';

/** Notices when no new picture is listed: then every other figure of the stream is one of the past. */
export class ListingWatch {
  private framesOut = 0;
  private grewAt: number | undefined;

  /** @param now a clock in milliseconds that never jumps */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Another stream begins. */
  clear(): void {
    this.framesOut = 0;
    this.grewAt = undefined;
  }

  /** @param framesOut frames listed so far */
  saw(framesOut: number): void {
    if (framesOut === this.framesOut) return;
    this.framesOut = framesOut;
    this.grewAt = this.now();
  }

  /** Since there was something new, in seconds; undefined before the first picture. */
  get stillSeconds(): number | undefined {
    return this.grewAt === undefined ? undefined : (this.now() - this.grewAt) / 1000;
  }

  /** Whether that is too long for what was said then to be said of now. */
  get isStill(): boolean {
    return (this.stillSeconds ?? 0) >= LATE_SECONDS;
  }
}
