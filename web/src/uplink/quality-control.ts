import { adapt, BEST, type Adaptation, type Uplink } from './adaptation.js';

/** Between two looks, in milliseconds. Bytes that were recorded bring them about: no timer, which a browser would slow down in a page that is covered. */
const LOOK_EVERY_MS = 500;

/** Looks now and then how well a broadcast comes through, and says when another recording is wanted. */
export class QualityControl {
  /** From a chunk's arrival at the server to its pictures being listed, as it said last. */
  serverSeconds: number | undefined;
  #adaptation: Adaptation = BEST;
  #lookedAtMs = -Infinity;

  /** The decision, where another recording is wanted from now on. `uplink` as it is, if a connection stands. */
  look(uplink: Uplink | undefined): Adaptation | undefined {
    const now = performance.now();
    if (now - this.#lookedAtMs < LOOK_EVERY_MS) return undefined;
    this.#lookedAtMs = now;
    const { level } = this.#adaptation;
    const { serverSeconds } = this;
    this.#adaptation = adapt(
      this.#adaptation,
      uplink && { ...uplink, serverSeconds, at: now / 1000 },
    );
    const { dropsWaiting } = this.#adaptation;
    return dropsWaiting || this.#adaptation.level !== level ? this.#adaptation : undefined;
  }
}
