import { adapt, BEST, type Adaptation, type Uplink } from './adaptation.js';

/**
 * Between two looks, in milliseconds. Bytes that were recorded bring them about: a browser would slow
 * down a timer in a page that is covered.
 */
const LOOK_EVERY_MS = 500;

/** Looks now and then how well a broadcast comes through, and says when another quality is wanted. */
export class QualityControl {
  /** From a chunk's arrival at the server to its pictures being listed, as it said last. */
  serverSeconds: number | undefined;
  private adaptation: Adaptation = BEST;
  private lookedAtMs = -Infinity;
  private dropsWaiting = false;

  /** Why the quality is what it is. */
  get limitation(): Adaptation['limitation'] {
    return this.adaptation.limitation;
  }

  /** The quality of the input stream that is to begin now; undefined if this one goes on. */
  look(uplink: Uplink | undefined): number | undefined {
    const now = performance.now();
    if (now - this.lookedAtMs < LOOK_EVERY_MS) return undefined;
    this.lookedAtMs = now;
    const before = this.adaptation;
    const { serverSeconds } = this;
    this.adaptation = adapt(before, uplink && { ...uplink, serverSeconds, atSeconds: now / 1000 });
    const { dropsWaiting, level } = this.adaptation;
    this.dropsWaiting ||= dropsWaiting;
    return dropsWaiting || level !== before.level ? level : undefined;
  }

  /** Whether what waits to be sent gives way to the input stream that begins now. */
  begins(): boolean {
    const drops = this.dropsWaiting;
    this.dropsWaiting = false;
    return drops;
  }
}
