import { adapt, BEST, type Adaptation, type Uplink } from './adaptation.js';

/**
 * Time between two decisions, in milliseconds. Recorded bytes trigger them: browsers slow timers down in a page that
 * is covered.
 */
const LOOK_EVERY_MS = 500;

/** Decides from time to time, by how chunks come through, whether another quality is needed. */
export class QualityControl {
  /** From a chunk's arrival at the server to its pictures being listed, by the server's last report. */
  serverSeconds: number | undefined;
  private adaptation: Adaptation = BEST;
  private lookedAtMs = -Infinity;
  private dropsUnacknowledged = false;

  /** Why the quality is reduced. */
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
    const { dropsUnacknowledged, level } = this.adaptation;
    this.dropsUnacknowledged ||= dropsUnacknowledged;
    return dropsUnacknowledged || level !== before.level ? level : undefined;
  }

  /** Whether unsent chunks are dropped for the input stream that begins now. */
  begins(): boolean {
    const drops = this.dropsUnacknowledged;
    this.dropsUnacknowledged = false;
    return drops;
  }
}
