import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Logger } from '../runtime/logger.js';
import { consume, putBack, type LeaseQueue } from '../redis/queues.js';
import { type Redis, warnUnlessOutage } from '../redis/redis.js';
import { HeldLease, LeaseLostError, type Lease } from './lease.js';
import { LockExpiry } from './lock-expiry.js';
import { OwnerDeaths } from './owner-deaths.js';

/** After this many deaths of owners without progress, a session is given up. */
const MAX_DEATHS = 3;

/** How often an idle replica asks for jobs, in seconds: a frozen one may have swallowed BullMQ's wake-up. */
const LOOK_EVERY_SECONDS = 1;

/** Time between two attempts to end a session that was given up, in milliseconds. */
const END_AGAIN_MS = 5_000;

/** The reason to give up a session that killed its owners. */
export class OwnersDiedError extends Error {
  constructor(deaths: number) {
    super(`${deaths} owners died of it`);
    this.name = 'OwnersDiedError';
  }
}

/**
 * One session's work in one stage, from taking the lease to the session's end.
 *
 * Resolves when the session has ended. When the lease's signal is aborted, it must stop at once and leave
 * unconsumed input where it is, for another replica. It rejects with a `LeaseLostError` if another replica
 * owns the session.
 */
export type SessionWork = (lease: Lease) => Promise<void>;

interface StageOptions {
  queue: LeaseQueue;
  /** How many sessions this replica may own at once. */
  concurrency: number;
  redis: Redis;
  log: Logger;
  work: SessionWork;
  /** The verdict on work that failed, for the replica that ends the session. */
  verdictOf: (reason: Error) => string;
  /**
   * Ends a session that was given up. The session's owner calls it until it has resolved once, on this or
   * another replica.
   */
  end: (lease: Lease, verdict: string) => Promise<void>;
}

/**
 * One replica of a stage that keeps state (decoding, segmenting): owns sessions and does the work of each.
 *
 * The lease on a session is the lock of its one job in the stage's queue, renewed while the work goes on.
 * When the owner dies the lock expires, and BullMQ gives the job to another replica; the session's
 * unfinished input is still in its queue.
 */
export class SessionStage {
  private readonly worker: Worker;
  private readonly deaths: OwnerDeaths;
  private readonly expiry: LockExpiry;
  private readonly leases = new Map<string, HeldLease>();
  private closing = false;

  constructor(private readonly options: StageOptions) {
    const { queue, concurrency, redis, log } = options;
    this.deaths = new OwnerDeaths(redis, queue);
    this.expiry = new LockExpiry(redis, queue, log);
    this.worker = consume(
      redis,
      { kind: queue },
      ({ sessionId }, job, token) => this.own(sessionId, job, token),
      {
        concurrency,
        // BullMQ counts expired locks, but an expired lock is no death.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        skipLockRenewal: true,
        drainDelay: LOOK_EVERY_SECONDS,
      },
    );
    this.worker.on('error', (error) => warnUnlessOutage(log, error, 'stage queue error'));
  }

  /** How many sessions this replica owns. */
  get size(): number {
    return this.leases.size;
  }

  /** Releases every session at once and accepts no more. */
  async close(): Promise<void> {
    this.closing = true;
    this.expiry.close();
    const closed = this.worker.close();
    for (const lease of this.leases.values()) lease.abort('hand over');
    await closed;
    this.deaths.close();
  }

  private async own(sessionId: string, job: Job, token: string) {
    const { redis, queue, log } = this.options;
    const lease = new HeldLease(sessionId, {
      ...{ redis, queue, job, token },
      onProgress: () => this.deaths.progressed(sessionId),
    });
    const before = this.leases.get(sessionId);
    this.leases.set(sessionId, lease);
    try {
      // A job may still arrive after close() has aborted all leases.
      if (this.closing) throw new Error('the replica is closing');
      // The lock expired, and the job came back here before that was noticed.
      await before?.revoke();
      await this.workToTheEnd(lease);
    } catch (error) {
      const reason = this.closing ? 'the replica stops' : (error as Error).message;
      log.info({ sessionId, epoch: lease.epoch, reason }, 'released the session');
      await this.deaths.survived(sessionId);
      // Does nothing if the job is another replica's by now.
      await putBack(job, token);
    } finally {
      lease.release();
      if (this.leases.get(sessionId) === lease) this.leases.delete(sessionId);
    }
  }

  /** Resolves when the session has ended or was given up; rejects only if the lease is lost or released. */
  private async workToTheEnd(lease: HeldLease): Promise<void> {
    const { log, work, verdictOf } = this.options;
    const { sessionId, signal } = lease;
    signal.throwIfAborted();
    let verdict = await lease.begin();
    const deaths = await this.deaths.begin(sessionId);
    // An abort before the work begins would never reach it.
    signal.throwIfAborted();
    log.info({ sessionId, epoch: lease.epoch, deaths }, 'acquired the lease');
    try {
      if (deaths >= MAX_DEATHS) throw new OwnersDiedError(deaths);
      if (verdict === undefined) await work(lease);
    } catch (error) {
      if (signal.aborted || error instanceof LeaseLostError) throw error;
      verdict = verdictOf(error as Error);
      // Fenced: a replica that was frozen must not end a session that its successor serves well.
      await lease.condemn(verdict);
      log.error({ sessionId, err: error }, 'gave up a session');
    }
    if (verdict !== undefined) await this.endWithRetries(lease, verdict);
    if (signal.aborted) throw new Error('the work ended because it was told to');
    await this.deaths.remove(sessionId);
    await lease.conclude();
  }

  private async endWithRetries(lease: HeldLease, verdict: string) {
    const { log, end } = this.options;
    const { sessionId, signal } = lease;
    for (;;) {
      try {
        return await end(lease, verdict);
      } catch (error) {
        if (error instanceof LeaseLostError) throw error;
        log.error({ sessionId, err: error }, 'could not end a session that was given up');
        await delay(END_AGAIN_MS, undefined, { signal });
      }
    }
  }
}
