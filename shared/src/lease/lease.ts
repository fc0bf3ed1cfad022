import { setTimeout as delay } from 'node:timers/promises';
import type { Job } from 'bullmq';
import { deferred } from '../runtime/deferred.js';
import { LOCK_MS, type StageQueue } from '../redis/queues.js';
import { KEY_PREFIX, SESSION_TTL_SECONDS, type Redis } from '../redis/redis.js';

const RENEW_EVERY_MS = LOCK_MS / 2;
/** The epoch's key expires some day, and every so many renewals that is put off: about once a minute. */
const RENEWALS_AN_EXPIRY = 80;

/** Thrown by work that finds its session owned by another replica. It is no failure: the work just stops. */
export class LeaseLostError extends Error {
  constructor() {
    super('another replica owns the session');
    this.name = 'LeaseLostError';
  }
}

/**
 * Ownership of one session's stage, as its work sees it.
 *
 * A process that was frozen cannot know that its lock ran out. So each owner has an epoch, which only
 * grows, and every place that is written to compares it: what carries an older one is refused.
 */
export interface Lease {
  readonly sessionId: string;
  /** The fencing token: one more than that of the owner before. */
  readonly epoch: number;
  /** The Redis hash that holds the newest epoch, for scripts that compare: see `FENCE`. */
  readonly key: string;
  /** Aborted when the session is another's, or is to be handed over. */
  readonly signal: AbortSignal;
  /** To be called when the session has got further than any owner before has brought it. */
  progressed(): void;
  /**
   * Resolves while this replica owns the session. It asks Redis only where the lock may have run out.
   * @throws {LeaseLostError}
   */
  confirm(): Promise<void>;
  /**
   * Notes, once and for all owners to come, that the session is to be ended, and why.
   * @throws {LeaseLostError}
   */
  condemn(verdict: string): Promise<void>;
}

/** What a place that is written to must know of a lease. */
export type Fence = Pick<Lease, 'sessionId' | 'epoch' | 'key'>;

/** Begins a Redis script: with a lease's key as first key and its epoch as first argument, 0 unless it is the newest. */
export const FENCE = `if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end\n`;

/** The Redis hash of a session's lease in one stage. */
export function leaseKey(queue: StageQueue, sessionId: string): string {
  return `${KEY_PREFIX}:lease:${sessionId}:${queue}`;
}

/**
 * A lease in this replica's hands: keeps the lock of its job until it is released.
 *
 * BullMQ's own renewal knows jobs by their id only. Where a lock ran out in an outage and the same
 * replica gets the job again, it renews the new lock for both, and for neither once the first has ended.
 */
export class HeldLease implements Lease {
  readonly key: string;
  private readonly lost = new AbortController();
  private readonly released = new AbortController();
  private readonly ended = deferred();
  private newest = 0;
  /** When the lock was last known to be this lease's, by a clock that never jumps. */
  private heldAt: number;

  constructor(
    readonly sessionId: string,
    private readonly options: {
      redis: Redis;
      queue: StageQueue;
      job: Pick<Job, 'extendLock'>;
      token: string;
      onProgress: () => void;
      /** How long the lock lasts without a renewal, in milliseconds. */
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

  /** Begins this owner's epoch. Resolves to the verdict of an owner before, if there is one. */
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

  /** The session is over: there are no owners after this one. */
  async conclude(): Promise<void> {
    await this.options.redis.eval(CONCLUDE, 1, this.key, this.epoch);
  }

  /** Tells the work on the session to stop. */
  abort(reason: string): void {
    this.lost.abort(new Error(reason));
  }

  /** Tells the work to stop, and resolves when it has. */
  async revoke(): Promise<void> {
    this.abort('the lease is lost');
    await this.ended.promise;
  }

  /** The work has stopped. */
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
      // A renewal that fails says nothing: the next one tells whose the lock is.
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
