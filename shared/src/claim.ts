import { setTimeout as delay } from 'node:timers/promises';
import type { Job } from 'bullmq';
import { deferred } from './deferred.js';
import { LOCK_MS } from './queues.js';

const RENEW_EVERY_MS = LOCK_MS / 2;

/**
 * One session in this replica's hands: keeps the lock of its job until it is released.
 *
 * BullMQ's own renewal knows jobs by their id only. Where a claim ran out in an outage and the same
 * replica gets it again, it renews the new lock for both, and for neither once the first has ended.
 */
export class Claim {
  private readonly lost = new AbortController();
  private readonly released = new AbortController();
  private readonly ended = deferred();

  constructor(
    private readonly job: Job,
    private readonly token: string,
  ) {
    void this.keep();
  }

  /** Aborted when the claim is another's, or to be. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  /** Tells the work on the session to stop. */
  abort(reason: string): void {
    this.lost.abort(new Error(reason));
  }

  /** Tells the work to stop, and resolves when it has. */
  async giveWay(): Promise<void> {
    this.abort('the claim is lost');
    await this.ended.promise;
  }

  /** The work has stopped. */
  release(): void {
    this.released.abort();
    this.ended.resolve();
  }

  private async keep(): Promise<void> {
    const { signal } = this.released;
    while (!signal.aborted) {
      await delay(RENEW_EVERY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      // A renewal that fails says nothing: the next one tells whose the claim is.
      const isHeld = await this.job.extendLock(this.token, LOCK_MS).catch(() => 1);
      if (isHeld === 0) this.abort('the claim is lost');
    }
  }
}

/** Thrown by a session's work that finds another replica at it: it is not given up, only left. */
export class ClaimLostError extends Error {
  constructor() {
    super('another replica holds the session');
  }
}
