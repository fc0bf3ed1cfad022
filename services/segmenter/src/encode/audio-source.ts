import { setTimeout as sleep } from 'node:timers/promises';
import { RunnableTimer } from '@facecast/shared/runtime/runnable-timer';
import type { FrameStore } from '@facecast/shared/media/frame-store';

/**
 * How long the audio of a batch is waited for while later batches wait. After that none is waited for until
 * some comes again. If no batch waits, its publisher or extractor paused, and the audio is still to come.
 */
const MAX_WAIT_MS = 5_000;
const POLL_EVERY_MS = 5;

/** Reads the samples of a session's batches from the frame store. */
export class AudioSource {
  private isWaiting = true;

  constructor(
    private readonly frameStore: FrameStore,
    private readonly sessionId: string,
    /** Whether later batches wait for their turn. */
    private readonly hasWaitingBatches: () => boolean,
    private readonly maxWaitMs = MAX_WAIT_MS,
  ) {}

  /** A batch's samples; undefined if there are none, or none any more. */
  async read(batch: number): Promise<Buffer | undefined> {
    return this.frameStore.read({ sessionId: this.sessionId, batch, kind: 'sound' });
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
    // If the last batch's audio came late, audio comes again: wait for this one's.
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
