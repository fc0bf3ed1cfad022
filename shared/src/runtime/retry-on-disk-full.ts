import { setTimeout as delay } from 'node:timers/promises';
import { Counter, type Registry } from 'prom-client';
import type { Logger } from './logger.js';

/** Time between two attempts to write to a full volume, in milliseconds. */
const RETRY_MS = 100;
/** How long attempts are repeated, in milliseconds. */
const MAX_WAIT_MS = 5_000;

/** A volume stayed full for too long; the message is a sentence for the publisher. */
export class VolumeFullError extends Error {
  constructor(override readonly cause: unknown) {
    super('The server has no room left for this stream.');
    this.name = 'VolumeFullError';
  }
}

/** Whether a write failed because its volume, or quota, is full. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Counter of writes that found their volume full. */
export function volumeRefusals(registry: Registry): Counter {
  return new Counter({
    name: 'facecast_volume_full_total',
    help: 'Writes that found no room on their volume',
    registers: [registry],
  });
}

/**
 * Repeats writes to a full volume for `maxWaitMs`. Each attempt is counted; the log has one line when the
 * volume fills up and one when it has space again.
 */
export class RetryOnDiskFull {
  private readonly closing = new AbortController();
  private retrying = 0;

  constructor(
    private readonly options: {
      /** The volume's name in the log. */
      volume: string;
      log: Logger;
      /** See `volumeRefusals`. */
      refusals: Counter;
      /** Called before each further attempt, to remove what can be spared. */
      freeSpace?: () => Promise<void>;
      maxWaitMs?: number;
    },
  ) {}

  /**
   * Resolves to the result of `attempt`, which is repeated while the volume is full.
   * @throws {VolumeFullError} if it stays full, or the service stops
   */
  async write<Result>(attempt: () => Promise<Result>): Promise<Result> {
    try {
      return await attempt();
    } catch (error) {
      if (!isFull(error)) throw error;
      return this.retry(attempt, error);
    }
  }

  /** Rejects while a write waits for space. */
  async check(): Promise<void> {
    if (this.retrying > 0) throw new Error('the volume is full');
  }

  /** Ends all waits: their writes reject. */
  close(): void {
    this.closing.abort();
  }

  private async retry<Result>(attempt: () => Promise<Result>, first: unknown): Promise<Result> {
    const { volume, log, freeSpace, maxWaitMs = MAX_WAIT_MS } = this.options;
    // Counted in attempts, not by a clock: a process that got no CPU made no attempt.
    let triesLeft = Math.ceil(maxWaitMs / RETRY_MS);
    if (this.retrying++ === 0) log.error({ err: first, volume }, 'volume is full');
    try {
      for (let error = first; ;) {
        this.options.refusals.inc();
        if (triesLeft-- <= 0 || this.closing.signal.aborted) throw new VolumeFullError(error);
        // If nothing can be removed, others may still free space.
        await freeSpace?.().catch(() => {});
        await delay(RETRY_MS, undefined, { signal: this.closing.signal }).catch(() => {});
        try {
          const result = await attempt();
          if (this.retrying === 1) log.info({ volume }, 'volume has free space again');
          return result;
        } catch (next) {
          if (!isFull(next)) throw next;
          error = next;
        }
      }
    } finally {
      this.retrying--;
    }
  }
}
