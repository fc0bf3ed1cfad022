import type { FacecastEvent } from '@facecast/shared/protocol/events';

/** Time over which stats count, in milliseconds. */
const WINDOW_MS = 5_000;
/** Minimum number of frames in that time for a verdict. */
const MIN_FRAMES = 60;
/** Fraction of unsearched frames above which another session would only harm the others. */
const MAX_UNSEARCHED = 0.5;
/** Maximum number of samples of a session; stats come about once a second. */
const MAX_SAMPLES = 20;

interface LoadSample {
  at: number;
  out: number;
  unsearched: number;
}

/** Tells from the running sessions' stats whether the detectors can search one more. */
export class SearchLoad {
  private readonly samples = new Map<string, LoadSample[]>();

  /** @param now a clock in milliseconds that never goes back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Receives an event of any session. */
  receive(event: FacecastEvent): void {
    if (event.type === 'ended') this.samples.delete(event.sessionId);
    if (event.type !== 'stats') return;
    const { framesOut, framesUndetected } = event.stats;
    const before = this.samples.get(event.sessionId) ?? [];
    const sample = { at: this.now(), out: framesOut, unsearched: framesUndetected };
    this.samples.set(event.sessionId, [...before, sample].slice(-MAX_SAMPLES));
  }

  /** Whether more of the last seconds' frames went out unsearched than searched. */
  get isTooMuch(): boolean {
    let [out, unsearched] = [0, 0];
    for (const [sessionId, samples] of this.samples) {
      const recent = samples.filter(({ at }) => at >= this.now() - WINDOW_MS);
      const [first, last] = [recent[0], recent.at(-1)];
      if (!first || !last) {
        this.samples.delete(sessionId);
        continue;
      }
      // The session has no new frames: its publisher has gone, or pauses.
      if (recent.length > 1 && recent.at(-2)!.out === last.out) continue;
      out += last.out - first.out;
      unsearched += last.unsearched - first.unsearched;
    }
    return out >= MIN_FRAMES && unsearched > MAX_UNSEARCHED * out;
  }
}
