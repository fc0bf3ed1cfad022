import { setTimeout as sleep } from 'node:timers/promises';
import { RunnableTimer } from '@facecast/shared/runtime/runnable-timer';
import type { FrameStore } from '@facecast/shared/media/frame-store';

/**
 * A batch's audio may be written while faces are looked for in it, or somewhat later: whoever decodes the
 * session writes each batch's, silence where none came. What has not come after so long, while other
 * batches wait for their turn, could not be written, and then none is waited for until some comes again.
 * Where none wait, the publisher is gone for a while, or a frame-extractor died: the audio is still to
 * come.
 */
const MAX_WAIT_MS = 5_000;
const POLL_EVERY_MS = 5;

/** Samples of a session's batches, from the frame store. */
export class AudioSource {
  private isWaiting = true;

  constructor(
    private readonly store: FrameStore,
    private readonly sessionId: string,
    /** Whether other batches wait for their turn. */
    private readonly hasWaitingBatches: () => boolean,
    private readonly maxWaitMs = MAX_WAIT_MS,
  ) {}

  /** A batch's samples, undefined where there are none (any more). */
  async read(batch: number): Promise<Buffer | undefined> {
    return this.store.read({ sessionId: this.sessionId, batch, kind: 'sound' });
  }

  /**
   * The samples of a batch that has just come, as soon as they are there; what there is when `signal` is
   * aborted.
   */
  async readNew(batch: number, signal: AbortSignal): Promise<Buffer | undefined> {
    const patience = new RunnableTimer(
      () => undefined,
      () => (this.isWaiting = false),
    );
    let samples = await this.read(batch);
    // The one before may have come too late, and stays for as long as another encoder may need it.
    this.isWaiting ||= (await this.read(batch - 1)) !== undefined;
    while (!samples && this.isWaiting && !signal.aborted) {
      await sleep(POLL_EVERY_MS);
      samples = await this.read(batch);
      if (this.hasWaitingBatches()) patience.start(this.maxWaitMs);
    }
    patience.stop();
    if (samples) this.isWaiting = true;
    return samples;
  }
}
