import { setTimeout as sleep } from 'node:timers/promises';
import { RunnableTimer } from '@facecast/shared/runtime/runnable-timer';
import type { FrameStore } from '@facecast/shared/media/frame-store';

/**
 * How long the audio of a batch is waited for if later batches have arrived, in milliseconds. After that no
 * audio is waited for until some comes again. If no later batch has arrived, the publisher or extractor has
 * paused, and the audio is still to come.
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

  /** Resolves to the samples of a new batch as soon as they exist; at an abort, to those that exist. */
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
