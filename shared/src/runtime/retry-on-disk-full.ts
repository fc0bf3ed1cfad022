import { setTimeout as delay } from 'node:timers/promises';
import { Counter, type Registry } from 'prom-client';
import type { Logger } from './logger.js';

/** Between two tries to write to a volume that is full, and how long it is tried. */
const RETRY_MS = 100;
const MAX_WAIT_MS = 5_000;

/** A volume was full for longer than a stream can wait; the message is a sentence for its publisher. */
export class VolumeFullError extends Error {
  constructor(override readonly cause: unknown) {
    super('The server has no room left for this stream.');
    this.name = 'VolumeFullError';
  }
}

/** Whether a write failed because there is no room. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Counts writes that found no room on a service's volume. */
export function volumeRefusals(registry: Registry): Counter {
  return new Counter({
    name: 'facecast_volume_full_total',
    help: 'Writes that found no room on their volume',
    registers: [registry],
  });
}

/**
 * Writing to a volume that may be full: what finds no room is tried again for a while, counted each
 * time, and told once when it begins and once when it is over.
 */
export class RetryOnDiskFull {
  private readonly closing = new AbortController();
  private waiting = 0;

  constructor(
    private readonly options: {
      /** What it is called in the log. */
      volume: string;
      log: Logger;
      /** See `volumeRefusals`. */
      refusals: Counter;
      /** Called before each new try: removes what can be spared. */
      freeSpace?: () => Promise<void>;
      maxWaitMs?: number;
    },
  ) {}

  /**
   * @param attempt may be called again after it has failed for want of room
   * @throws {VolumeFullError} where none was found in time, or the service stops
   */
  async write<Result>(attempt: () => Promise<Result>): Promise<Result> {
    try {
      return await attempt();
    } catch (error) {
      if (!isFull(error)) throw error;
      return this.retry(attempt, error);
    }
  }

  /** Rejects while somebody waits for room. */
  async check(): Promise<void> {
    if (this.waiting > 0) throw new Error('the volume is full');
  }

  /** Whoever waits for room waits no longer. */
  close(): void {
    this.closing.abort();
  }

  private async retry<Result>(attempt: () => Promise<Result>, first: unknown): Promise<Result> {
    const { volume, log, freeSpace, maxWaitMs = MAX_WAIT_MS } = this.options;
    // Counted in tries: one who is not let run has not looked for room.
    let triesLeft = Math.ceil(maxWaitMs / RETRY_MS);
    if (this.waiting++ === 0) log.error({ err: first, volume }, 'volume is full');
    try {
      for (let error = first; ;) {
        this.options.refusals.inc();
        if (triesLeft-- <= 0 || this.closing.signal.aborted) throw new VolumeFullError(error);
        // Where that is not possible, there may still be room by itself.
        await freeSpace?.().catch(() => {});
        await delay(RETRY_MS, undefined, { signal: this.closing.signal }).catch(() => {});
        try {
          const result = await attempt();
          if (this.waiting === 1) log.info({ volume }, 'volume has free space again');
          return result;
        } catch (next) {
          if (!isFull(next)) throw next;
          error = next;
        }
      }
    } finally {
      this.waiting--;
    }
  }
}
