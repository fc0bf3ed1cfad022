import { setTimeout as delay } from 'node:timers/promises';
import type { Job } from 'bullmq';
import { deferred } from '../runtime/deferred.js';
import { LOCK_MS, type LeaseQueue } from '../redis/queues.js';
import { SESSION_TTL_SECONDS, type Redis } from '../redis/redis.js';
import { leaseKey } from '../redis/session-keys.js';

const RENEW_EVERY_MS = LOCK_MS / 2;
/** Lock renewals between two renewals of the epoch's expiry: about a minute. */
const RENEWALS_AN_EXPIRY = 80;

/**
 * Another replica owns the session. Work that throws this stops, and the session does not count as failed.
 */
export class LeaseLostError extends Error {
  constructor() {
    super('another replica owns the session');
    this.name = 'LeaseLostError';
  }
}

/**
 * One replica's ownership of a session's stage.
 *
 * A frozen process cannot know that its lock expired. So each owner has an epoch, a fencing token that only
 * grows. Each write compares it and is refused to older epochs.
 */
export interface Lease {
  readonly sessionId: string;
  /** The fencing token: one more than the last owner's. */
  readonly epoch: number;
  /** Key of the Redis hash with the newest epoch, for scripts that begin with `FENCE`. */
  readonly key: string;
  /** Aborted when the lease is lost, or the session is to be released. */
  readonly signal: AbortSignal;
  /** To be called when the session got further than with any earlier owner: earlier deaths are forgotten. */
  progressed(): void;
  /**
   * Checks that this replica owns the session. Asks Redis only if the lock may have expired.
   * @throws {LeaseLostError}
   */
  confirm(): Promise<void>;
  /**
   * Records, for this and all later owners, that the session is to be ended, and why.
   * @throws {LeaseLostError}
   */
  condemn(verdict: string): Promise<void>;
}

/** What a fenced write needs of a lease. */
export type Fence = Pick<Lease, 'sessionId' | 'epoch' | 'key'>;

/**
 * Beginning of a fenced Redis script, which returns 0 unless ARGV[1] is the newest epoch of the lease
 * KEYS[1].
 */
export const FENCE = `if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end\n`;

/**
 * A lease that this replica owns: renews its job's lock until it is released.
 *
 * It renews by token, because BullMQ's own renewal knows jobs by id alone. If a lock expires and the same
 * replica gets the job again, BullMQ would renew one lock for both, and none once the first has ended.
 */
export class HeldLease implements Lease {
  readonly key: string;
  private readonly lost = new AbortController();
  private readonly released = new AbortController();
  private readonly ended = deferred();
  private newest = 0;
  /** When the lock was last known to be held, by `performance.now()`. */
  private heldAt: number;

  constructor(
    readonly sessionId: string,
    private readonly options: {
      redis: Redis;
      queue: LeaseQueue;
      job: Pick<Job, 'extendLock'>;
      token: string;
      onProgress: () => void;
      /** How long the lock lasts without renewal, in milliseconds; `LOCK_MS` unless set. */
      lockMs?: number;
    },
  ) {
    this.key = leaseKey(options.queue, sessionId);
    this.heldAt = performance.now();
    void this.keep();
  }

  get epoch(): number {
    return this.newest;
  }

  get signal(): AbortSignal {
    return this.lost.signal;
  }

  /** Begins this owner's epoch. Resolves to an earlier owner's verdict; undefined if there is none. */
  async begin(): Promise<string | undefined> {
    const replies = await this.options.redis
      .multi()
      .hincrby(this.key, 'epoch', 1)
      .hget(this.key, 'verdict')
      .expire(this.key, SESSION_TTL_SECONDS)
      .exec();
    this.newest = Number(replies?.[0]?.[1]);
    return (replies?.[1]?.[1] as string | null) ?? undefined;
  }

  progressed(): void {
    this.options.onProgress();
  }

  async confirm(): Promise<void> {
    if (this.signal.aborted) throw new LeaseLostError();
    if (performance.now() - this.heldAt < (this.options.lockMs ?? LOCK_MS)) return;
    const newest = await this.options.redis.hget(this.key, 'epoch');
    if (newest !== String(this.epoch)) throw new LeaseLostError();
  }

  async condemn(verdict: string): Promise<void> {
    const noted = await this.options.redis.eval(CONDEMN, 1, this.key, this.epoch, verdict);
    if (noted !== 1) throw new LeaseLostError();
  }

  /** Removes the lease of a session that has ended. */
  async conclude(): Promise<void> {
    await this.options.redis.eval(CONCLUDE, 1, this.key, this.epoch);
  }

  /** Aborts `signal`, so that the work on the session stops. */
  abort(reason: string): void {
    this.lost.abort(new Error(reason));
  }

  /** Aborts the work and resolves when it has stopped. */
  async revoke(): Promise<void> {
    this.abort('the lease is lost');
    await this.ended.promise;
  }

  /** Stops renewing the lock; to be called when the work has stopped. */
  release(): void {
    this.released.abort();
    this.ended.resolve();
  }

  private async keep(): Promise<void> {
    const { signal } = this.released;
    const { job, token, redis } = this.options;
    for (let renewals = 1; !signal.aborted; renewals++) {
      await delay(RENEW_EVERY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      const askedAt = performance.now();
      // A renewal that fails says nothing; the next one tells whose lock it is.
      const isHeld = await job.extendLock(token, LOCK_MS).catch(() => undefined);
      if (isHeld === 0) this.abort('the lease is lost');
      if (isHeld === 1) this.heldAt = askedAt;
      if (renewals % RENEWALS_AN_EXPIRY === 0)
        redis.expire(this.key, SESSION_TTL_SECONDS).catch(() => {});
    }
  }
}

const CONDEMN = `${FENCE}redis.call('HSET', KEYS[1], 'verdict', ARGV[2])
return 1`;

const CONCLUDE = `${FENCE}return redis.call('UNLINK', KEYS[1])`;
