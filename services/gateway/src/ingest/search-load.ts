import type { FacecastEvent } from '@facecast/shared/protocol/events';

/** Only the stats of the last 5 s count. */
const WINDOW_MS = 5_000;
/** Of fewer frames in that time nothing can be said. */
const MIN_FRAMES = 60;
/** With more than this share of all frames unsearched, another session would only take from the rest. */
const MAX_UNSEARCHED = 0.5;
/** Most samples of a session; stats come about once a second. */
const MAX_SAMPLES = 20;

interface Sample {
  at: number;
  out: number;
  unsearched: number;
}

/** Knows from the running sessions' stats whether the detectors can bear one more. */
export class SearchLoad {
  private readonly samples = new Map<string, Sample[]>();

  /** @param now a clock in milliseconds that never goes back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Takes notice of an event, of whatever session. */
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
      // Nothing of it is searched at the moment: its publisher has gone, or pauses.
      if (recent.length > 1 && recent.at(-2)!.out === last.out) continue;
      out += last.out - first.out;
      unsearched += last.unsearched - first.unsearched;
    }
    return out >= MIN_FRAMES && unsearched > MAX_UNSEARCHED * out;
  }
}
