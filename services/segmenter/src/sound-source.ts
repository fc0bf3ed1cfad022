import { setTimeout as sleep } from 'node:timers/promises';
import type { FrameStore } from '@facecast/shared/frame-store';

/**
 * A batch's sound may be written while faces are looked for in it, or somewhat later. What has not come
 * after so long is silence, and then none is waited for until some comes again.
 */
const PATIENCE_MS = 500;
const LOOK_EVERY_MS = 5;

/** Samples of a session's batches, from the frame store. */
export class SoundSource {
  private isPatient = true;

  constructor(
    private readonly store: FrameStore,
    private readonly sessionId: string,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** A batch's samples, undefined where there are none (any more). */
  async read(batch: number): Promise<Buffer | undefined> {
    return this.store.read({ sessionId: this.sessionId, batch, kind: 'sound' });
  }

  /** The samples of a batch that has just come, as soon as they are there. */
  async readNew(batch: number): Promise<Buffer | undefined> {
    const until = performance.now() + this.patienceMs;
    let samples = await this.read(batch);
    // The one before may have come too late, and stays for as long as another encoder may need it.
    this.isPatient ||= (await this.read(batch - 1)) !== undefined;
    while (!samples && this.isPatient) {
      await sleep(LOOK_EVERY_MS);
      samples = await this.read(batch);
      this.isPatient = samples !== undefined || performance.now() < until;
    }
    if (samples) this.isPatient = true;
    return samples;
  }
}
