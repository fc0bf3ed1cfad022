import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Logger } from '../runtime/logger.js';
import { consume, putBack, type StageQueue } from '../redis/queues.js';
import { type Redis, warnUnlessOutage } from '../redis/redis.js';
import { HeldLease, LeaseLostError, type Lease } from './lease.js';
import { LockExpiry } from './lock-expiry.js';
import { OwnerDeaths } from './owner-deaths.js';

/** How many owners of a session may die, none of which got it any further, before it is given up. */
const MAX_DEATHS = 3;

/** A frozen replica may swallow the news of a claim: so often the others look by themselves. */
const LOOK_EVERY_SECONDS = 1;

/** Between two tries to end a session that was given up. */
const END_AGAIN_MS = 5_000;

/** Why a session is given up that killed its owners. */
export class OwnersDiedError extends Error {
  constructor(deaths: number) {
    super(`${deaths} owners died of it`);
    this.name = 'OwnersDiedError';
  }
}

/**
 * One session's work in one stage, from the claim to the session's end.
 *
 * Resolves when the session is over. When the lease's signal is aborted it must stop at once, leave every
 * input that is not acknowledged where it is, and resolve or reject: another replica continues. It does
 * the same by itself, and rejects with a `LeaseLostError`, where it finds another at the session.
 */
export type SessionWork = (lease: Lease) => Promise<void>;

interface StageOptions {
  queue: StageQueue;
  /** Most sessions that this replica owns at once. */
  concurrency: number;
  redis: Redis;
  log: Logger;
  work: SessionWork;
  /** What is noted of work that failed, for whoever ends the session: another replica, perhaps. */
  verdictOf: (reason: Error) => string;
  /**
   * Ends a session that was given up. It is called by the session's owner, and again, here or on another
   * replica, until it has resolved once.
   */
  end: (lease: Lease, verdict: string) => Promise<void>;
}

/**
 * The part of a stage that has state: owns sessions and does the work of each.
 *
 * A session is claimed by its one job in the stage's queue. Its lock is kept for as long as the work goes
 * on; when the owner dies the lock runs out and another replica gets the job, with the session's
 * unfinished input still in its queue.
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
        // BullMQ counts locks that ran out, which says nothing of deaths.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        skipLockRenewal: true,
        drainDelay: LOOK_EVERY_SECONDS,
      },
    );
    this.worker.on('error', (error) => warnUnlessOutage(log, error, 'stage queue error'));
  }

  /** Sessions owned at the moment. */
  get size(): number {
    return this.leases.size;
  }

  /** Hands every session over at once and takes no more. */
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
      // A claim may still arrive after close() has told all others to be handed over.
      if (this.closing) throw new Error('the replica is closing');
      // The lock ran out, and the job came back here before that was known.
      await before?.revoke();
      await this.workToTheEnd(lease);
    } catch (error) {
      const reason = this.closing ? 'the replica stops' : (error as Error).message;
      log.info({ sessionId, epoch: lease.epoch, reason }, 'released the session');
      await this.deaths.survived(sessionId);
      // Where it is another's already, this says so, and does nothing.
      await putBack(job, token);
    } finally {
      lease.release();
      if (this.leases.get(sessionId) === lease) this.leases.delete(sessionId);
    }
  }

  /** Rejects only where the session is another's, or another's to be. */
  private async workToTheEnd(lease: HeldLease): Promise<void> {
    const { log, work, verdictOf } = this.options;
    const { sessionId, signal } = lease;
    signal.throwIfAborted();
    let verdict = await lease.begin();
    const deaths = await this.deaths.begin(sessionId);
    // Work that begins after it was told to stop would never hear of it.
    signal.throwIfAborted();
    log.info({ sessionId, epoch: lease.epoch, deaths }, 'acquired the lease');
    try {
      if (deaths >= MAX_DEATHS) throw new OwnersDiedError(deaths);
      if (verdict === undefined) await work(lease);
    } catch (error) {
      if (signal.aborted || error instanceof LeaseLostError) throw error;
      verdict = verdictOf(error as Error);
      // A replica that was frozen would end what its successor does well.
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
